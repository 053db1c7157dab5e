/**
 * Lists every network of Birder v0.8.4's vision-transformer families, one a line, as decode-networks.ts reads it.
 * scripts/import-birder-networks.mjs has written this file from Birder's registry (Apache-2.0).
 */
export const NETWORK_LINES: string = `
deit3_b14 ViT 224x224 85724160 14 12 12 768 3072 0.2 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_b16 ViT 224x224 85816320 16 12 12 768 3072 0.2 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_h14 ViT 224x224 630845440 14 32 16 1280 5120 0.55 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_h16 ViT 224x224 630999040 16 32 16 1280 5120 0.55 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_l14 ViT 224x224 303226880 14 24 16 1024 4096 0.45 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_l16 ViT 224x224 303349760 16 24 16 1024 4096 0.45 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_m14 ViT 224x224 38275072 14 12 8 512 2048 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_m16 ViT 224x224 38336512 16 12 8 512 2048 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_reg4_b14 ViT 224x224 85727232 14 12 12 768 3072 0.2 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_b16 ViT 224x224 85819392 16 12 12 768 3072 0.2 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_h14 ViT 224x224 630850560 14 32 16 1280 5120 0.55 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_h16 ViT 224x224 631004160 16 32 16 1280 5120 0.55 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_l14 ViT 224x224 303230976 14 24 16 1024 4096 0.45 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_l16 ViT 224x224 303353856 16 24 16 1024 4096 0.45 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_m14 ViT 224x224 38277120 14 12 8 512 2048 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_m16 ViT 224x224 38338560 16 12 8 512 2048 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_s14 ViT 224x224 21629952 14 12 6 384 1536 0.05 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_s16 ViT 224x224 21676032 16 12 6 384 1536 0.05 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_t14 ViT 224x224 5506560 14 12 3 192 768 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_reg4_t16 ViT 224x224 5529600 16 12 3 192 768 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
deit3_s14 ViT 224x224 21628416 14 12 6 384 1536 0.05 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_s16 ViT 224x224 21674496 16 12 6 384 1536 0.05 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_t14 ViT 224x224 5505792 14 12 3 192 768 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit3_t16 ViT 224x224 5528832 16 12 3 192 768 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001
deit_b16 DeiT 224x224 85800192 16 12 12 768 3072 0.1
deit_s16 DeiT 224x224 21666432 16 12 6 384 1536 0.1
deit_t16 DeiT 224x224 5524800 16 12 3 192 768 0
flexivit_b16 FlexiViT 240x240 85820160 16 12 12 768 3072 0.1
flexivit_reg1_s16 FlexiViT 240x240 21676800 16 12 6 384 1536 0 num_reg_tokens=1
flexivit_reg1_s16_rms_ls FlexiViT 240x240 21676416 16 12 6 384 1536 0 layer_scale_init_value=0.00001 num_reg_tokens=1 norm_layer_type="RMSNorm"
flexivit_reg4_b16 FlexiViT 240x240 85823232 16 12 12 768 3072 0.1 num_reg_tokens=4
flexivit_reg8_b14_ap FlexiViT - - 14 12 12 768 3072 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true
flexivit_s16 FlexiViT 240x240 21676416 16 12 6 384 1536 0
flexivit_s16_ls FlexiViT 240x240 21685632 16 12 6 384 1536 0 layer_scale_init_value=0.00001
naflex_deit3_reg1_t16 NaFlex_ViT 224x224 5529024 16 12 3 192 768 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=1
naflex_deit3_t16 NaFlex_ViT 224x224 5528832 16 12 3 192 768 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001
naflex_i_vit_b16_ap_c1 NaFlex_ViT 224x224 92884224 16 12 12 768 3072 0.1 class_token=false attn_pool_head=true attn_pool_norm_eps=0.000001 attn_pool_act_layer_type="gelu_tanh" act_layer_type="gelu_tanh" pos_embed_interpolation_mode="bilinear" pos_embed_antialias=true naflex_pos_embed_resize_mode="interpolate"
naflex_i_vit_so400m_p16_ap_c1 NaFlex_ViT 224x224 427818944 16 27 16 1152 4304 0.1 class_token=false attn_pool_head=true attn_pool_norm_eps=0.000001 attn_pool_act_layer_type="gelu_tanh" act_layer_type="gelu_tanh" pos_embed_interpolation_mode="bilinear" pos_embed_antialias=true naflex_pos_embed_resize_mode="interpolate"
naflex_rope_deit3_m14 NaFlex_RoPE_ViT 224x224 38275072 14 12 8 512 2048 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001
naflex_rope_deit3_reg1_t16 NaFlex_RoPE_ViT 224x224 5529024 16 12 3 192 768 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=1
naflex_rope_deit3_t16 NaFlex_RoPE_ViT 224x224 5528832 16 12 3 192 768 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001
naflex_rope_vit_b16 NaFlex_RoPE_ViT 224x224 85798656 16 12 12 768 3072 0.1
naflex_rope_vit_l16 NaFlex_RoPE_ViT 224x224 303301632 16 24 16 1024 4096 0.1
naflex_rope_vit_m14_swiglu_avg NaFlex_RoPE_ViT 224x224 50869760 14 12 8 512 2048 0 class_token=false mlp_layer_type="SwiGLU_FFN"
naflex_rope_vit_m16 NaFlex_RoPE_ViT 224x224 38324736 16 12 8 512 2048 0
naflex_rope_vit_reg1_t16 NaFlex_RoPE_ViT 224x224 5524800 16 12 3 192 768 0 num_reg_tokens=1
naflex_rope_vit_reg4_b14 NaFlex_RoPE_ViT 224x224 85712640 14 12 12 768 3072 0.1 num_reg_tokens=4
naflex_rope_vit_reg8_so150m_p14_swiglu_rms_avg NaFlex_RoPE_ViT 224x224 171022400 14 18 16 896 2320 0.1 num_reg_tokens=8 class_token=false norm_layer_type="RMSNorm" mlp_layer_type="SwiGLU_FFN"
naflex_rope_vit_s14_swiglu_avg NaFlex_RoPE_ViT 224x224 28715136 14 12 6 384 1536 0 class_token=false mlp_layer_type="SwiGLU_FFN"
naflex_rope_vit_s16 NaFlex_RoPE_ViT 224x224 21665664 16 12 6 384 1536 0
naflex_rope_vit_so400m_p14_ap NaFlex_RoPE_ViT 224x224 427680704 14 27 16 1152 4304 0.1 class_token=false attn_pool_head=true
naflex_rope_vit_t16 NaFlex_RoPE_ViT 224x224 5524416 16 12 3 192 768 0
naflex_vit_b16 NaFlex_ViT 224x224 85798656 16 12 12 768 3072 0.1
naflex_vit_b16_ls NaFlex_ViT 224x224 85817088 16 12 12 768 3072 0.1 layer_scale_init_value=0.00001
naflex_vit_l14_pn NaFlex_ViT 224x224 303179776 14 24 16 1024 4096 0.1 pre_norm=true norm_layer_eps=0.00001
naflex_vit_l16 NaFlex_ViT 224x224 303301632 16 24 16 1024 4096 0.1
naflex_vit_m16 NaFlex_ViT 224x224 38324736 16 12 8 512 2048 0
naflex_vit_reg1_s14_ls NaFlex_ViT 224x224 21629568 14 12 6 384 1536 0 layer_scale_init_value=0.00001 num_reg_tokens=1
naflex_vit_reg1_s16 NaFlex_ViT 224x224 21666432 16 12 6 384 1536 0 num_reg_tokens=1
naflex_vit_reg1_s16_ls NaFlex_ViT 224x224 21675648 16 12 6 384 1536 0 layer_scale_init_value=0.00001 num_reg_tokens=1
naflex_vit_reg1_t16 NaFlex_ViT 224x224 5524800 16 12 3 192 768 0 num_reg_tokens=1
naflex_vit_reg4_b16 NaFlex_ViT 224x224 85804800 16 12 12 768 3072 0.1 num_reg_tokens=4
naflex_vit_reg4_b16_avg NaFlex_ViT 224x224 85803264 16 12 12 768 3072 0.1 num_reg_tokens=4 class_token=false
naflex_vit_reg4_s14_nps_ls NaFlex_ViT 224x224 21629952 14 12 6 384 1536 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
naflex_vit_reg4_so150m_p14_ap NaFlex_ViT 224x224 140967856 14 18 16 896 2320 0.1 num_reg_tokens=4 class_token=false attn_pool_head=true
naflex_vit_reg4_so150m_p14_avg NaFlex_ViT 224x224 133589664 14 18 16 896 2320 0.1 num_reg_tokens=4 class_token=false
naflex_vit_reg4_so150m_p14_ls NaFlex_ViT 224x224 133623712 14 18 16 896 2320 0.1 layer_scale_init_value=0.00001 num_reg_tokens=4
naflex_vit_s16 NaFlex_ViT 224x224 21665664 16 12 6 384 1536 0
naflex_vit_so150m_p14_ap NaFlex_ViT 224x224 140960688 14 18 16 896 2320 0.1 class_token=false attn_pool_head=true
naflex_vit_so400m_p14_ap NaFlex_ViT 224x224 427680704 14 27 16 1152 4304 0.1 class_token=false attn_pool_head=true
naflex_vit_t16 NaFlex_ViT 224x224 5524416 16 12 3 192 768 0
rope_a_vit_s16 RoPE_ViT 224x224 21665664 16 12 6 384 1536 0 rope_style="axial" rope_rot_type="interleaved"
rope_cs_vit_moe_b16_32e1s_2k_every2_nape_ls_avg RoPE_ViT_MoE 224x224 349440768 16 12 12 768 3072 0.1 abs_pos_embed=false class_token=false layer_scale_init_value=0.00001 rope_style="centered_separate" moe_ffn_type="MoE_FFN" moe_expert_width=640 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_every_n_layers=2
rope_cs_vit_moe_reg1_b16_32e1s_2c_last6_nape_ls_ap RoPE_ViT_MoE 224x224 356528640 16 12 12 768 3072 0.1 abs_pos_embed=false num_reg_tokens=1 class_token=false attn_pool_head=true layer_scale_init_value=0.00001 rope_style="centered_separate" moe_ffn_type="MoE_FFN" moe_expert_width=640 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routing_type="expert_choice" moe_expert_choice_capacity_factor=2 moe_last_n_layers=6
rope_cs_vit_moe_reg1_b16_32e1s_2c_last6_nape_ls_avg RoPE_ViT_MoE 224x224 349441536 16 12 12 768 3072 0.1 abs_pos_embed=false num_reg_tokens=1 class_token=false layer_scale_init_value=0.00001 rope_style="centered_separate" moe_ffn_type="MoE_FFN" moe_expert_width=640 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routing_type="expert_choice" moe_expert_choice_capacity_factor=2 moe_last_n_layers=6
rope_cs_vit_moe_reg1_b16_d14_16e1s_2c_last10_nape_ls_ap RoPE_ViT_MoE 224x224 561180672 16 14 12 768 3072 0.1 abs_pos_embed=false num_reg_tokens=1 class_token=false attn_pool_head=true layer_scale_init_value=0.00001 rope_style="centered_separate" moe_ffn_type="MoE_FFN" moe_expert_width=1280 moe_num_routed_experts=16 moe_num_shared_experts=1 moe_routing_type="expert_choice" moe_expert_choice_capacity_factor=2 moe_last_n_layers=10
rope_cs_vit_moe_reg1_b16_d14_16e1s_2k_last10_nape_ls_ap RoPE_ViT_MoE 224x224 561180672 16 14 12 768 3072 0.1 abs_pos_embed=false num_reg_tokens=1 class_token=false attn_pool_head=true layer_scale_init_value=0.00001 rope_style="centered_separate" moe_ffn_type="MoE_FFN" moe_expert_width=1280 moe_num_routed_experts=16 moe_num_shared_experts=1 moe_top_k=2 moe_last_n_layers=10
rope_cs_vit_moe_reg1_b16_d14_32e1s_2c_last10_nape_ls_ap RoPE_ViT_MoE 224x224 546557952 16 14 12 768 3072 0.1 abs_pos_embed=false num_reg_tokens=1 class_token=false attn_pool_head=true layer_scale_init_value=0.00001 rope_style="centered_separate" moe_ffn_type="MoE_FFN" moe_expert_width=640 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routing_type="expert_choice" moe_expert_choice_capacity_factor=2 moe_last_n_layers=10
rope_cs_vit_moe_reg1_m16_32e1s_2c_last6_nape_ls_ap RoPE_ViT_MoE 224x224 184601600 16 12 8 512 2048 0 abs_pos_embed=false num_reg_tokens=1 class_token=false attn_pool_head=true layer_scale_init_value=0.00001 rope_style="centered_separate" moe_ffn_type="MoE_FFN" moe_expert_width=512 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routing_type="expert_choice" moe_expert_choice_capacity_factor=2 moe_last_n_layers=6
rope_cs_vit_reg4_b16_nape_ls RoPE_ViT 224x224 85668864 16 12 12 768 3072 0.1 abs_pos_embed=false layer_scale_init_value=0.00001 num_reg_tokens=4 rope_style="centered_separate"
rope_cs_vit_reg4_b16_nape_ls_c1 RoPE_ViT 224x224 85668864 16 12 12 768 3072 0.1 abs_pos_embed=false layer_scale_init_value=0.00001 num_reg_tokens=4 norm_layer_eps=0.00001 rope_style="centered_separate"
rope_cs_vit_reg4_l16_nape_ls_c1 RoPE_ViT 224x224 303153152 16 24 16 1024 4096 0.1 abs_pos_embed=false layer_scale_init_value=0.00001 num_reg_tokens=4 norm_layer_eps=0.00001 rope_style="centered_separate"
rope_cs_vit_reg4_s16_nape_ls RoPE_ViT 224x224 21600768 16 12 6 384 1536 0 abs_pos_embed=false layer_scale_init_value=0.00001 num_reg_tokens=4 rope_style="centered_separate"
rope_cs_vit_reg4_s16_nape_ls_c1 RoPE_ViT 224x224 21600768 16 12 6 384 1536 0 abs_pos_embed=false layer_scale_init_value=0.00001 num_reg_tokens=4 norm_layer_eps=0.00001 rope_style="centered_separate"
rope_cs_vit_reg4_so150m_p16_nape_ls RoPE_ViT 224x224 133551136 16 18 16 896 2320 0.1 abs_pos_embed=false layer_scale_init_value=0.00001 num_reg_tokens=4 rope_style="centered_separate"
rope_cs_vit_vmoe_reg4_b16_8e_2k_every2_nape_ls RoPE_ViT_MoE 224x224 284047872 16 12 12 768 3072 0.1 abs_pos_embed=false layer_scale_init_value=0.00001 num_reg_tokens=4 rope_style="centered_separate" moe_num_routed_experts=8 moe_top_k=2 moe_every_n_layers=2
rope_deit3_b14 RoPE_ViT 224x224 85724160 14 12 12 768 3072 0.2 pos_embed_special_tokens=false layer_scale_init_value=0.00001
rope_deit3_b16 RoPE_ViT 224x224 85816320 16 12 12 768 3072 0.2 pos_embed_special_tokens=false layer_scale_init_value=0.00001
rope_deit3_l14 RoPE_ViT 224x224 303226880 14 24 16 1024 4096 0.45 pos_embed_special_tokens=false layer_scale_init_value=0.00001
rope_deit3_l16 RoPE_ViT 224x224 303349760 16 24 16 1024 4096 0.45 pos_embed_special_tokens=false layer_scale_init_value=0.00001
rope_deit3_m14 RoPE_ViT 224x224 38275072 14 12 8 512 2048 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001
rope_deit3_m16 RoPE_ViT 224x224 38336512 16 12 8 512 2048 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001
rope_deit3_reg4_b14 RoPE_ViT 224x224 85727232 14 12 12 768 3072 0.2 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
rope_deit3_reg4_b16 RoPE_ViT 224x224 85819392 16 12 12 768 3072 0.2 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
rope_deit3_reg4_l14 RoPE_ViT 224x224 303230976 14 24 16 1024 4096 0.45 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
rope_deit3_reg4_l16 RoPE_ViT 224x224 303353856 16 24 16 1024 4096 0.45 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
rope_deit3_reg4_m14 RoPE_ViT 224x224 38277120 14 12 8 512 2048 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
rope_deit3_reg4_m16 RoPE_ViT 224x224 38338560 16 12 8 512 2048 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
rope_deit3_reg4_s14 RoPE_ViT 224x224 21629952 14 12 6 384 1536 0.05 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
rope_deit3_reg4_s16 RoPE_ViT 224x224 21676032 16 12 6 384 1536 0.05 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
rope_deit3_reg4_t16 RoPE_ViT 224x224 5529600 16 12 3 192 768 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
rope_deit3_s14 RoPE_ViT 224x224 21628416 14 12 6 384 1536 0.05 pos_embed_special_tokens=false layer_scale_init_value=0.00001
rope_deit3_s16 RoPE_ViT 224x224 21674496 16 12 6 384 1536 0.05 pos_embed_special_tokens=false layer_scale_init_value=0.00001
rope_deit3_t16 RoPE_ViT 224x224 5528832 16 12 3 192 768 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001
rope_flexivit_b16 RoPE_FlexiViT 240x240 85820160 16 12 12 768 3072 0.1
rope_flexivit_reg1_s16 RoPE_FlexiViT 240x240 21676800 16 12 6 384 1536 0 num_reg_tokens=1
rope_flexivit_reg4_b16 RoPE_FlexiViT 240x240 85823232 16 12 12 768 3072 0.1 num_reg_tokens=4
rope_flexivit_reg4_b16_avg RoPE_FlexiViT 240x240 85822464 16 12 12 768 3072 0.1 num_reg_tokens=4 class_token=false
rope_flexivit_reg4_b16_qkn_ls RoPE_FlexiViT 240x240 85844736 16 12 12 768 3072 0.1 num_reg_tokens=4 layer_scale_init_value=0.00001 qk_norm=true
rope_flexivit_reg4_b16_qkn_ls_ep RoPE_FlexiViT 240x240 86459904 16 12 12 768 3072 0.1 num_reg_tokens=4 layer_scale_init_value=0.00001 qk_norm=true attn_pool_head=true attn_pool_type="EfficientProbing"
rope_flexivit_s16 RoPE_FlexiViT 240x240 21676416 16 12 6 384 1536 0
rope_i_vit_b16_pn_aps_c1 RoPE_ViT 224x224 92886528 16 12 12 768 3072 0.1 pre_norm=true attn_pool_head=true attn_pool_num_heads=8 attn_pool_special_tokens=true norm_layer_eps=0.00001 rope_rot_type="interleaved" rope_grid_indexing="xy" rope_grid_offset=1 rope_temperature=10000
rope_i_vit_l14_nf_swiglu_c1 RoPE_ViT 224x224 303342528 14 24 16 1024 2730 0.1 attn_norm=true mlp_layer_type="Norm_SwiGLU_FFN" rope_rot_type="interleaved" rope_temperature=10000 pt_grid_size=[16,16]
rope_i_vit_l14_pn_aps_c1 RoPE_ViT 224x224 315774976 14 24 16 1024 4096 0.1 pre_norm=true attn_pool_head=true attn_pool_num_heads=8 attn_pool_special_tokens=true norm_layer_eps=0.00001 rope_rot_type="interleaved" rope_grid_indexing="xy" rope_grid_offset=1 rope_temperature=10000
rope_i_vit_reg1_b16_pn_npn_avg_c1 RoPE_ViT 224x224 85797888 16 12 12 768 3072 0.1 num_reg_tokens=1 class_token=false pre_norm=true post_norm=false norm_layer_eps=0.00001 rope_rot_type="interleaved" rope_grid_indexing="xy" rope_grid_offset=1 rope_temperature=10000
rope_i_vit_reg1_s16_pn_npn_avg_c1 RoPE_ViT 224x224 21665280 16 12 6 384 1536 0 num_reg_tokens=1 class_token=false pre_norm=true post_norm=false norm_layer_eps=0.00001 rope_rot_type="interleaved" rope_grid_indexing="xy" rope_grid_offset=1 rope_temperature=10000
rope_i_vit_reg1_t16_pn_npn_avg_c1 RoPE_ViT 224x224 5524224 16 12 3 192 768 0 num_reg_tokens=1 class_token=false pre_norm=true post_norm=false norm_layer_eps=0.00001 rope_rot_type="interleaved" rope_grid_indexing="xy" rope_grid_offset=1 rope_temperature=10000
rope_i_vit_s16_pn_aps_c1 RoPE_ViT 224x224 23440128 16 12 6 384 1536 0 pre_norm=true attn_pool_head=true attn_pool_num_heads=8 attn_pool_special_tokens=true norm_layer_eps=0.00001 rope_rot_type="interleaved" rope_grid_indexing="xy" rope_grid_offset=1 rope_temperature=10000
rope_vit5_reg4_b16 RoPE_ViT5 224x224 85774080 16 12 12 768 3072 0.2 num_reg_tokens=4
rope_vit5_reg4_g16 RoPE_ViT5 224x224 1011212288 16 40 16 1408 6144 0.4 num_reg_tokens=4
rope_vit5_reg4_h16 RoPE_ViT5 224x224 630803200 16 32 16 1280 5120 0.4 num_reg_tokens=4
rope_vit5_reg4_l16 RoPE_ViT5 224x224 303233024 16 24 16 1024 4096 0.35 num_reg_tokens=4
rope_vit5_reg4_m16 RoPE_ViT5 224x224 38308864 16 12 8 512 2048 0.1 num_reg_tokens=4
rope_vit5_reg4_s16 RoPE_ViT5 224x224 21654144 16 12 6 384 1536 0.05 num_reg_tokens=4
rope_vit5_reg4_so150m_p16 RoPE_ViT5 224x224 133647232 16 18 16 896 2320 0.25 num_reg_tokens=4
rope_vit5_reg4_so400m_p16 RoPE_ViT5 224x224 412495776 16 27 16 1152 4304 0.35 num_reg_tokens=4
rope_vit5_reg4_t16 RoPE_ViT5 224x224 5519424 16 12 3 192 768 0 num_reg_tokens=4
rope_vit_b14 RoPE_ViT 224x224 85706496 14 12 12 768 3072 0.1
rope_vit_b14_swiglu_avg RoPE_ViT 224x224 114053376 14 12 12 768 3072 0.1 class_token=false mlp_layer_type="SwiGLU_FFN"
rope_vit_b16 RoPE_ViT 224x224 85798656 16 12 12 768 3072 0.1
rope_vit_b16_nf_swiglu RoPE_ViT 224x224 114239232 16 12 12 768 3072 0.1 attn_norm=true mlp_layer_type="Norm_SwiGLU_FFN"
rope_vit_b16_qkn_ls RoPE_ViT 224x224 85820160 16 12 12 768 3072 0.1 layer_scale_init_value=0.00001 qk_norm=true
rope_vit_b32 RoPE_ViT 224x224 87455232 32 12 12 768 3072 0
rope_vit_g14 RoPE_ViT 224x224 1011202432 14 40 16 1408 6144 0.1
rope_vit_g16 RoPE_ViT 224x224 1011371392 16 40 16 1408 6144 0.1
rope_vit_gigantic14 RoPE_ViT 224x224 1842775680 14 48 16 1664 8192 0.1
rope_vit_h14 RoPE_ViT 224x224 630764800 14 32 16 1280 5120 0.1
rope_vit_h16 RoPE_ViT 224x224 630918400 16 32 16 1280 5120 0.1
rope_vit_l14 RoPE_ViT 224x224 303178752 14 24 16 1024 4096 0.1
rope_vit_l16 RoPE_ViT 224x224 303301632 16 24 16 1024 4096 0.1
rope_vit_l32 RoPE_ViT 224x224 305510400 32 24 16 1024 4096 0.1
rope_vit_m14 RoPE_ViT 224x224 38263296 14 12 8 512 2048 0
rope_vit_m14_swiglu_avg RoPE_ViT 224x224 50869760 14 12 8 512 2048 0 class_token=false mlp_layer_type="SwiGLU_FFN"
rope_vit_m16 RoPE_ViT 224x224 38324736 16 12 8 512 2048 0
rope_vit_m16_avg RoPE_ViT 224x224 38323712 16 12 8 512 2048 0 class_token=false
rope_vit_m32 RoPE_ViT 224x224 39429120 32 12 8 512 2048 0
rope_vit_moe_b16_32e1s_2k_every2_avg RoPE_ViT_MoE 224x224 349572864 16 12 12 768 3072 0.1 class_token=false moe_ffn_type="MoE_FFN" moe_expert_width=640 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_every_n_layers=2
rope_vit_moe_t16_4e1s_2c_last1_avg RoPE_ViT_MoE 224x224 5781888 16 12 3 192 768 0 class_token=false moe_ffn_type="MoE_FFN" moe_expert_width=192 moe_num_routed_experts=4 moe_num_shared_experts=1 moe_routing_type="expert_choice" moe_expert_choice_capacity_factor=2 moe_last_n_layers=1
rope_vit_moe_t16_4e1s_2k_last1_avg RoPE_ViT_MoE 224x224 6334848 16 12 3 192 768 0 class_token=false moe_ffn_type="MoE_FFN" moe_expert_width=384 moe_num_routed_experts=4 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_last_n_layers=1
rope_vit_reg1_s14 RoPE_ViT 224x224 21620352 14 12 6 384 1536 0 num_reg_tokens=1
rope_vit_reg1_s16 RoPE_ViT 224x224 21666432 16 12 6 384 1536 0 num_reg_tokens=1
rope_vit_reg1_s32 RoPE_ViT 224x224 22494720 32 12 6 384 1536 0 num_reg_tokens=1
rope_vit_reg1_t14 RoPE_ViT 224x224 5501760 14 12 3 192 768 0 num_reg_tokens=1
rope_vit_reg1_t16 RoPE_ViT 224x224 5524800 16 12 3 192 768 0 num_reg_tokens=1
rope_vit_reg1_t32 RoPE_ViT 224x224 5938944 32 12 3 192 768 0 num_reg_tokens=1
rope_vit_reg4_b14 RoPE_ViT 224x224 85712640 14 12 12 768 3072 0.1 num_reg_tokens=4
rope_vit_reg4_b16 RoPE_ViT 224x224 85804800 16 12 12 768 3072 0.1 num_reg_tokens=4
rope_vit_reg4_b32 RoPE_ViT 224x224 87461376 32 12 12 768 3072 0 num_reg_tokens=4
rope_vit_reg4_g14 RoPE_ViT 224x224 1011213696 14 40 16 1408 6144 0.1 num_reg_tokens=4
rope_vit_reg4_h14 RoPE_ViT 224x224 630775040 14 32 16 1280 5120 0.1 num_reg_tokens=4
rope_vit_reg4_h16 RoPE_ViT 224x224 630928640 16 32 16 1280 5120 0.1 num_reg_tokens=4
rope_vit_reg4_l14 RoPE_ViT 224x224 303186944 14 24 16 1024 4096 0.1 num_reg_tokens=4
rope_vit_reg4_l16 RoPE_ViT 224x224 303309824 16 24 16 1024 4096 0.1 num_reg_tokens=4
rope_vit_reg4_l32 RoPE_ViT 224x224 305518592 32 24 16 1024 4096 0.1 num_reg_tokens=4
rope_vit_reg4_m14 RoPE_ViT 224x224 38267392 14 12 8 512 2048 0 num_reg_tokens=4
rope_vit_reg4_m14_avg RoPE_ViT 224x224 38266368 14 12 8 512 2048 0 num_reg_tokens=4 class_token=false
rope_vit_reg4_m16 RoPE_ViT 224x224 38328832 16 12 8 512 2048 0 num_reg_tokens=4
rope_vit_reg4_m16_rms_avg RoPE_ViT 224x224 38315008 16 12 8 512 2048 0 num_reg_tokens=4 class_token=false norm_layer_type="RMSNorm"
rope_vit_reg4_m32 RoPE_ViT 224x224 39433216 32 12 8 512 2048 0 num_reg_tokens=4
rope_vit_reg4_so150m_p14_ap RoPE_ViT 224x224 140967856 14 18 16 896 2320 0.1 num_reg_tokens=4 class_token=false attn_pool_head=true
rope_vit_reg8_b14_nps_ap RoPE_ViT 224x224 92798208 14 12 12 768 3072 0.1 pos_embed_special_tokens=false num_reg_tokens=8 class_token=false attn_pool_head=true
rope_vit_reg8_b14_nps_avg RoPE_ViT 224x224 85711104 14 12 12 768 3072 0.1 pos_embed_special_tokens=false num_reg_tokens=8 class_token=false
rope_vit_reg8_l14_rms_ap RoPE_ViT 224x224 315738112 14 24 16 1024 4096 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true norm_layer_type="RMSNorm"
rope_vit_reg8_so150m_p14_ap RoPE_ViT 224x224 140975024 14 18 16 896 2320 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true
rope_vit_reg8_so150m_p14_swiglu_rms_ap RoPE_ViT 224x224 178400592 14 18 16 896 2320 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true norm_layer_type="RMSNorm" mlp_layer_type="SwiGLU_FFN"
rope_vit_reg8_so150m_p14_swiglu_rms_aps RoPE_ViT 224x224 178400592 14 18 16 896 2320 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true attn_pool_special_tokens=true norm_layer_type="RMSNorm" mlp_layer_type="SwiGLU_FFN"
rope_vit_reg8_so150m_p14_swiglu_rms_avg RoPE_ViT 224x224 171022400 14 18 16 896 2320 0.1 num_reg_tokens=8 class_token=false norm_layer_type="RMSNorm" mlp_layer_type="SwiGLU_FFN"
rope_vit_reg8_so150m_p14_swiglu_rms_eps RoPE_ViT 224x224 171854784 14 18 16 896 2320 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true attn_pool_type="EfficientProbing" attn_pool_special_tokens=true norm_layer_type="RMSNorm" mlp_layer_type="SwiGLU_FFN"
rope_vit_reg8_so400m_p14_ap RoPE_ViT 224x224 427699136 14 27 16 1152 4304 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true
rope_vit_s14 RoPE_ViT 224x224 21619584 14 12 6 384 1536 0
rope_vit_s14_swiglu_avg RoPE_ViT 224x224 28715136 14 12 6 384 1536 0 class_token=false mlp_layer_type="SwiGLU_FFN"
rope_vit_s16 RoPE_ViT 224x224 21665664 16 12 6 384 1536 0
rope_vit_s16_avg RoPE_ViT 224x224 21664896 16 12 6 384 1536 0 class_token=false
rope_vit_s16_soft_moe_32e_4s_avg RoPE_ViT 224x224 241736064 16 12 6 384 1536 0 class_token=false mlp_layer_type="SoftMoE_FFN" soft_moe_num_experts=32 soft_moe_num_slots=4
rope_vit_s32 RoPE_ViT 224x224 22493952 32 12 6 384 1536 0
rope_vit_so150m_p14_ap RoPE_ViT 224x224 140960688 14 18 16 896 2320 0.1 class_token=false attn_pool_head=true
rope_vit_so400m_p14_ap RoPE_ViT 224x224 427680704 14 27 16 1152 4304 0.1 class_token=false attn_pool_head=true
rope_vit_t14 RoPE_ViT 224x224 5501376 14 12 3 192 768 0
rope_vit_t16 RoPE_ViT 224x224 5524416 16 12 3 192 768 0
rope_vit_t32 RoPE_ViT 224x224 5938560 32 12 3 192 768 0
rope_vit_vmoe_b16_8e_2k_every2 RoPE_ViT_MoE 224x224 284177664 16 12 12 768 3072 0.1 moe_num_routed_experts=8 moe_top_k=2 moe_every_n_layers=2
rope_vit_vmoe_reg1_vs32_8e_2k_last2s2 RoPE_ViT_MoE 224x224 56224768 32 8 8 512 2048 0 num_reg_tokens=1 moe_num_routed_experts=8 moe_top_k=2 moe_last_n_layers=2 moe_last_n_layers_stride=2 mlp_head=true
rope_vit_vmoe_s16_8e_2k_last3s2 RoPE_ViT_MoE 224x224 46487808 16 12 6 384 1536 0 moe_num_routed_experts=8 moe_top_k=2 moe_last_n_layers=3 moe_last_n_layers_stride=2
rope_vit_vmoe_vs32_8e_2k_last2s2 RoPE_ViT_MoE 224x224 56223744 32 8 8 512 2048 0 moe_num_routed_experts=8 moe_top_k=2 moe_last_n_layers=2 moe_last_n_layers_stride=2 mlp_head=true
simple_vit_b14 Simple_ViT 224x224 85508352 14 12 12 768 3072 0
simple_vit_b16 Simple_ViT 224x224 85646592 16 12 12 768 3072 0
simple_vit_b32 Simple_ViT 224x224 87416064 32 12 12 768 3072 0
simple_vit_g14 Simple_ViT 224x224 1010839168 14 40 16 1408 6144 0.1
simple_vit_h14 Simple_ViT 224x224 630434560 14 32 16 1280 5120 0.1
simple_vit_h16 Simple_ViT 224x224 630664960 16 32 16 1280 5120 0.1
simple_vit_l14 Simple_ViT 224x224 302914560 14 24 16 1024 4096 0.1
simple_vit_l16 Simple_ViT 224x224 303098880 16 24 16 1024 4096 0.1
simple_vit_l32 Simple_ViT 224x224 305458176 32 24 16 1024 4096 0.1
simple_vit_m14 Simple_ViT 224x224 38131200 14 12 8 512 2048 0
simple_vit_m16 Simple_ViT 224x224 38223360 16 12 8 512 2048 0
simple_vit_m32 Simple_ViT 224x224 39403008 32 12 8 512 2048 0
simple_vit_s14 Simple_ViT 224x224 21520512 14 12 6 384 1536 0
simple_vit_s16 Simple_ViT 224x224 21589632 16 12 6 384 1536 0
simple_vit_s32 Simple_ViT 224x224 22474368 32 12 6 384 1536 0
vit_1b_p16 ViT 224x224 1134749184 16 40 24 1536 6144 0.1
vit_b14 ViT 224x224 85706496 14 12 12 768 3072 0.1
vit_b16 ViT 224x224 85798656 16 12 12 768 3072 0.1
vit_b16_ap ViT 224x224 92884224 16 12 12 768 3072 0.1 class_token=false attn_pool_head=true
vit_b16_ap_c1 ViT 224x224 92884224 16 12 12 768 3072 0.1 class_token=false attn_pool_head=true attn_pool_norm_eps=0.000001
vit_b16_avg ViT 224x224 85797120 16 12 12 768 3072 0.1 class_token=false
vit_b16_hmlp ViT 224x224 85958016 16 12 12 768 3072 0.1 stem_type="hmlp"
vit_b16_hmlp_bn ViT 224x224 85958016 16 12 12 768 3072 0.1 stem_type="hmlp" stem_norm_layer_type="BatchNorm2d"
vit_b16_ls ViT 224x224 85817088 16 12 12 768 3072 0.1 layer_scale_init_value=0.00001
vit_b16_nf_swiglu ViT 224x224 114239232 16 12 12 768 3072 0.1 attn_norm=true mlp_layer_type="Norm_SwiGLU_FFN"
vit_b16_pn ViT 224x224 85799424 16 12 12 768 3072 0.1 pre_norm=true norm_layer_eps=0.00001
vit_b16_pn_quick_gelu ViT 224x224 85799424 16 12 12 768 3072 0.1 pre_norm=true norm_layer_eps=0.00001 act_layer_type="quick_gelu"
vit_b16_qkn_ls ViT 224x224 85820160 16 12 12 768 3072 0.1 layer_scale_init_value=0.00001 qk_norm=true
vit_b32 ViT 224x224 87455232 32 12 12 768 3072 0
vit_b32_pn ViT 224x224 87456000 32 12 12 768 3072 0 pre_norm=true norm_layer_eps=0.00001
vit_b32_pn_npn ViT 224x224 87454464 32 12 12 768 3072 0 pre_norm=true post_norm=false norm_layer_eps=0.00001
vit_det_b16 ViT_SAM 224x224 85837056 16 12 12 768 3072 0.1 window_size=[14,14] global_attn_indexes=[2,5,8,11]
vit_det_m16_rms ViT_SAM 224x224 38351872 16 12 8 512 2048 0 norm_layer_type="RMSNorm" window_size=[14,14] global_attn_indexes=[2,5,8,11]
vit_det_s16 ViT_SAM 224x224 21705600 16 12 6 384 1536 0 window_size=[14,14] global_attn_indexes=[2,5,8,11]
vit_e14 ViT 224x224 3805421312 14 56 16 1792 15360 0.1
vit_g14 ViT 224x224 1011202432 14 40 16 1408 6144 0.1
vit_g16 ViT 224x224 1011371392 16 40 16 1408 6144 0.1
vit_gigantic14 ViT 224x224 1842775680 14 48 16 1664 8192 0.1
vit_h14 ViT 224x224 630764800 14 32 16 1280 5120 0.1
vit_h14_pn ViT 224x224 630766080 14 32 16 1280 5120 0.1 pre_norm=true norm_layer_eps=0.00001
vit_h16 ViT 224x224 630918400 16 32 16 1280 5120 0.1
vit_l14 ViT 224x224 303178752 14 24 16 1024 4096 0.1
vit_l14_pn ViT 224x224 303179776 14 24 16 1024 4096 0.1 pre_norm=true norm_layer_eps=0.00001
vit_l14_pn_npn ViT 224x224 303177728 14 24 16 1024 4096 0.1 pre_norm=true post_norm=false norm_layer_eps=0.00001
vit_l14_pn_quick_gelu ViT 224x224 303179776 14 24 16 1024 4096 0.1 pre_norm=true norm_layer_eps=0.00001 act_layer_type="quick_gelu"
vit_l16 ViT 224x224 303301632 16 24 16 1024 4096 0.1
vit_l16_ap ViT 224x224 315894784 16 24 16 1024 4096 0.1 class_token=false attn_pool_head=true
vit_l16_ap_c1 ViT 224x224 315894784 16 24 16 1024 4096 0.1 class_token=false attn_pool_head=true attn_pool_norm_eps=0.000001
vit_l16_avg ViT 224x224 303299584 16 24 16 1024 4096 0.1 class_token=false
vit_l32 ViT 224x224 305510400 32 24 16 1024 4096 0.1
vit_m14 ViT 224x224 38263296 14 12 8 512 2048 0
vit_m16 ViT 224x224 38324736 16 12 8 512 2048 0
vit_m16_avg ViT 224x224 38323712 16 12 8 512 2048 0 class_token=false
vit_m16_soft_moe_32e_4s_avg ViT 224x224 429269504 16 12 8 512 2048 0 class_token=false mlp_layer_type="SoftMoE_FFN" soft_moe_num_experts=32 soft_moe_num_slots=4
vit_m32 ViT 224x224 39429120 32 12 8 512 2048 0
vit_moe_b16_32e1s_2k_every2_avg ViT_MoE 224x224 349572864 16 12 12 768 3072 0.1 class_token=false moe_ffn_type="MoE_FFN" moe_expert_width=640 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_every_n_layers=2
vit_moe_b16_32e1s_2k_last8_ap ViT_MoE 224x224 444585216 16 12 12 768 3072 0.1 class_token=false attn_pool_head=true moe_ffn_type="MoE_FFN" moe_expert_width=640 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_last_n_layers=8
vit_moe_l16_32e1s_2k_every2_avg ViT_MoE 224x224 1292962816 16 24 16 1024 4096 0.1 class_token=false moe_ffn_type="MoE_FFN" moe_expert_width=896 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_every_n_layers=2
vit_moe_m16_32e1s_2c_every2_ls_avg ViT_MoE 224x224 181549568 16 12 8 512 2048 0 class_token=false layer_scale_init_value=0.00001 moe_ffn_type="MoE_FFN" moe_expert_width=512 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routing_type="expert_choice" moe_expert_choice_capacity_factor=2 moe_every_n_layers=2
vit_moe_m16_32e1s_2k_every2_ls_avg ViT_MoE 224x224 181549568 16 12 8 512 2048 0 class_token=false layer_scale_init_value=0.00001 moe_ffn_type="MoE_FFN" moe_expert_width=512 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_every_n_layers=2
vit_moe_reg1_b16_32e1s_2k_every2_ls ViT_MoE 224x224 349594368 16 12 12 768 3072 0.1 num_reg_tokens=1 layer_scale_init_value=0.00001 moe_ffn_type="MoE_FFN" moe_expert_width=640 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_every_n_layers=2
vit_moe_reg1_b16_32e1s_3k_last6_ls_ap ViT_MoE 224x224 298287360 16 12 12 768 3072 0.1 num_reg_tokens=1 class_token=false attn_pool_head=true layer_scale_init_value=0.00001 moe_ffn_type="MoE_FFN" moe_expert_width=512 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.75 moe_top_k=3 moe_last_n_layers=6
vit_moe_reg1_b16_d14_32e1s_2k_every2_ls ViT_MoE 224x224 407735808 16 14 12 768 3072 0.1 num_reg_tokens=1 layer_scale_init_value=0.00001 moe_ffn_type="MoE_FFN" moe_expert_width=640 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_every_n_layers=2
vit_moe_reg1_b16_d14_32e1s_3k_last10_swiglu_ls_ap ViT_MoE 224x224 458837760 16 14 12 768 3072 0.1 num_reg_tokens=1 class_token=false attn_pool_head=true layer_scale_init_value=0.00001 mlp_layer_type="SwiGLU_FFN" moe_ffn_type="MoE_FFN" moe_expert_width=512 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.75 moe_top_k=3 moe_last_n_layers=10
vit_moe_reg1_m16_32e1s_2c_last6_ls_ap ViT_MoE 224x224 184702464 16 12 8 512 2048 0 num_reg_tokens=1 class_token=false attn_pool_head=true layer_scale_init_value=0.00001 moe_ffn_type="MoE_FFN" moe_expert_width=512 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routing_type="expert_choice" moe_expert_choice_capacity_factor=2 moe_last_n_layers=6
vit_moe_reg1_m16_32e1s_2k_last8_ls_ap ViT_MoE 224x224 232440320 16 12 8 512 2048 0 num_reg_tokens=1 class_token=false attn_pool_head=true layer_scale_init_value=0.00001 moe_ffn_type="MoE_FFN" moe_expert_width=512 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_last_n_layers=8
vit_moe_reg1_m16_d14_32e1s_3k_last8_ls ViT_MoE 224x224 183691776 16 14 8 512 2048 0 num_reg_tokens=1 layer_scale_init_value=0.00001 moe_ffn_type="MoE_FFN" moe_expert_width=384 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.75 moe_top_k=3 moe_last_n_layers=8
vit_moe_reg4_m16_32e1s1p_2c_last6o1_ls ViT_MoE 224x224 186273280 16 12 8 512 2048 0 num_reg_tokens=4 layer_scale_init_value=0.00001 moe_ffn_type="MoE_FFN" moe_expert_width=512 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_num_special_token_experts=1 moe_routing_type="expert_choice" moe_expert_choice_capacity_factor=2 moe_last_n_layers=6 moe_last_n_layers_offset=1
vit_moe_so150m_p16_32e1s_2k_last12_avg ViT_MoE 224x224 901602272 16 18 16 896 2320 0.1 class_token=false moe_ffn_type="MoE_FFN" moe_expert_width=768 moe_num_routed_experts=32 moe_num_shared_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_last_n_layers=12
vit_moe_t16_4e1s1p_2k_last1o1 ViT_MoE 224x224 6556416 16 12 3 192 768 0 moe_ffn_type="MoE_FFN" moe_expert_width=384 moe_num_routed_experts=4 moe_num_shared_experts=1 moe_num_special_token_experts=1 moe_routed_scaling_factor=1.5 moe_top_k=2 moe_last_n_layers=1 moe_last_n_layers_offset=1
vit_moe_t16_4e1s_2c_last1_avg ViT_MoE 224x224 5781888 16 12 3 192 768 0 class_token=false moe_ffn_type="MoE_FFN" moe_expert_width=192 moe_num_routed_experts=4 moe_num_shared_experts=1 moe_routing_type="expert_choice" moe_expert_choice_capacity_factor=2 moe_last_n_layers=1
vit_parallel_b16_18x2_ls ViT_Parallel 224x224 255962880 16 18 12 768 3072 0.2 num_parallel=2 layer_scale_init_value=0.00001
vit_parallel_b16_18x2_ls_avg ViT_Parallel 224x224 255961344 16 18 12 768 3072 0.2 num_parallel=2 layer_scale_init_value=0.00001 class_token=false
vit_parallel_s16_18x2_ls ViT_Parallel 224x224 64280448 16 18 6 384 1536 0.05 num_parallel=2 layer_scale_init_value=0.00001
vit_parallel_s16_18x2_ls_avg ViT_Parallel 224x224 64279680 16 18 6 384 1536 0.05 num_parallel=2 layer_scale_init_value=0.00001 class_token=false
vit_reg1_b14 ViT 224x224 85708032 14 12 12 768 3072 0.1 num_reg_tokens=1
vit_reg1_b16_nap_avg ViT 224x224 85798656 16 12 12 768 3072 0.1 num_reg_tokens=1 norm_after_pool=true class_token=false
vit_reg1_l14_nap_avg ViT 224x224 303178752 14 24 16 1024 4096 0.1 num_reg_tokens=1 norm_after_pool=true class_token=false
vit_reg1_s14 ViT 224x224 21620352 14 12 6 384 1536 0 num_reg_tokens=1
vit_reg1_s14_ls ViT 224x224 21629568 14 12 6 384 1536 0 layer_scale_init_value=0.00001 num_reg_tokens=1
vit_reg1_s16 ViT 224x224 21666432 16 12 6 384 1536 0 num_reg_tokens=1
vit_reg1_s16_ls ViT 224x224 21675648 16 12 6 384 1536 0 layer_scale_init_value=0.00001 num_reg_tokens=1
vit_reg1_s16_nap_avg ViT 224x224 21665664 16 12 6 384 1536 0 num_reg_tokens=1 norm_after_pool=true class_token=false
vit_reg1_s16_rms_ls ViT 224x224 21666048 16 12 6 384 1536 0 layer_scale_init_value=0.00001 num_reg_tokens=1 norm_layer_type="RMSNorm"
vit_reg1_s32 ViT 224x224 22494720 32 12 6 384 1536 0 num_reg_tokens=1
vit_reg1_t14 ViT 224x224 5501760 14 12 3 192 768 0 num_reg_tokens=1
vit_reg1_t16 ViT 224x224 5524800 16 12 3 192 768 0 num_reg_tokens=1
vit_reg1_t32 ViT 224x224 5938944 32 12 3 192 768 0 num_reg_tokens=1
vit_reg4_b14 ViT 224x224 85712640 14 12 12 768 3072 0.1 num_reg_tokens=4
vit_reg4_b14_nps_ls ViT 224x224 85727232 14 12 12 768 3072 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
vit_reg4_b16 ViT 224x224 85804800 16 12 12 768 3072 0.1 num_reg_tokens=4
vit_reg4_b16_avg ViT 224x224 85803264 16 12 12 768 3072 0.1 num_reg_tokens=4 class_token=false
vit_reg4_b32 ViT 224x224 87461376 32 12 12 768 3072 0 num_reg_tokens=4
vit_reg4_g14 ViT 224x224 1011213696 14 40 16 1408 6144 0.1 num_reg_tokens=4
vit_reg4_g16 ViT 224x224 1011382656 16 40 16 1408 6144 0.1 num_reg_tokens=4
vit_reg4_gigantic14 ViT 224x224 1842788992 14 48 16 1664 8192 0.1 num_reg_tokens=4
vit_reg4_h14 ViT 224x224 630775040 14 32 16 1280 5120 0.1 num_reg_tokens=4
vit_reg4_h16 ViT 224x224 630928640 16 32 16 1280 5120 0.1 num_reg_tokens=4
vit_reg4_l14 ViT 224x224 303186944 14 24 16 1024 4096 0.1 num_reg_tokens=4
vit_reg4_l14_nps_ls ViT 224x224 303230976 14 24 16 1024 4096 0.1 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
vit_reg4_l16 ViT 224x224 303309824 16 24 16 1024 4096 0.1 num_reg_tokens=4
vit_reg4_l32 ViT 224x224 305518592 32 24 16 1024 4096 0.1 num_reg_tokens=4
vit_reg4_m14 ViT 224x224 38267392 14 12 8 512 2048 0 num_reg_tokens=4
vit_reg4_m16 ViT 224x224 38328832 16 12 8 512 2048 0 num_reg_tokens=4
vit_reg4_m16_rms_avg ViT 224x224 38315008 16 12 8 512 2048 0 num_reg_tokens=4 class_token=false norm_layer_type="RMSNorm"
vit_reg4_m32 ViT 224x224 39433216 32 12 8 512 2048 0 num_reg_tokens=4
vit_reg4_s14_nps_ls ViT 224x224 21629952 14 12 6 384 1536 0 pos_embed_special_tokens=false layer_scale_init_value=0.00001 num_reg_tokens=4
vit_reg4_so150m_p14_ap ViT 224x224 140967856 14 18 16 896 2320 0.1 num_reg_tokens=4 class_token=false attn_pool_head=true
vit_reg4_so150m_p14_aps ViT 224x224 140967856 14 18 16 896 2320 0.1 num_reg_tokens=4 class_token=false attn_pool_head=true attn_pool_special_tokens=true
vit_reg4_so150m_p14_avg ViT 224x224 133589664 14 18 16 896 2320 0.1 num_reg_tokens=4 class_token=false
vit_reg4_so150m_p14_eps ViT 224x224 134422048 14 18 16 896 2320 0.1 num_reg_tokens=4 class_token=false attn_pool_head=true attn_pool_type="EfficientProbing" attn_pool_special_tokens=true
vit_reg4_so150m_p14_ls ViT 224x224 133623712 14 18 16 896 2320 0.1 layer_scale_init_value=0.00001 num_reg_tokens=4
vit_reg4_so150m_p16_avg ViT 224x224 133697184 16 18 16 896 2320 0.1 num_reg_tokens=4 class_token=false
vit_reg8_b14_ap ViT 224x224 92804352 14 12 12 768 3072 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true
vit_reg8_l14_ap ViT 224x224 315788288 14 24 16 1024 4096 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true
vit_reg8_l14_rms_ap ViT 224x224 315738112 14 24 16 1024 4096 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true norm_layer_type="RMSNorm"
vit_reg8_l16_aps ViT 224x224 315911168 16 24 16 1024 4096 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true attn_pool_special_tokens=true
vit_reg8_l16_avg ViT 224x224 303315968 16 24 16 1024 4096 0.1 num_reg_tokens=8 class_token=false
vit_reg8_so150m_p14_ap ViT 224x224 140975024 14 18 16 896 2320 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true
vit_reg8_so150m_p14_avg ViT 224x224 133596832 14 18 16 896 2320 0.1 num_reg_tokens=8 class_token=false
vit_reg8_so150m_p14_swiglu ViT 224x224 171057344 14 18 16 896 2320 0.1 num_reg_tokens=8 mlp_layer_type="SwiGLU_FFN"
vit_reg8_so150m_p14_swiglu_avg ViT 224x224 171055552 14 18 16 896 2320 0.1 num_reg_tokens=8 class_token=false mlp_layer_type="SwiGLU_FFN"
vit_reg8_so150m_p16_swiglu_ap ViT 224x224 178541264 16 18 16 896 2320 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true mlp_layer_type="SwiGLU_FFN"
vit_reg8_so400m_p14_ap ViT 224x224 427699136 14 27 16 1152 4304 0.1 num_reg_tokens=8 class_token=false attn_pool_head=true
vit_s14 ViT 224x224 21619584 14 12 6 384 1536 0
vit_s14_soft_moe_32e_6s_avg ViT 224x224 241837440 14 12 6 384 1536 0 class_token=false mlp_layer_type="SoftMoE_FFN" soft_moe_num_experts=32 soft_moe_num_slots=6
vit_s16 ViT 224x224 21665664 16 12 6 384 1536 0
vit_s16_avg ViT 224x224 21664896 16 12 6 384 1536 0 class_token=false
vit_s16_ls ViT 224x224 21674880 16 12 6 384 1536 0 layer_scale_init_value=0.00001
vit_s16_pn ViT 224x224 21666048 16 12 6 384 1536 0 pre_norm=true norm_layer_eps=0.00001
vit_s16_soft_moe_32e_4s_avg ViT 224x224 241736064 16 12 6 384 1536 0 class_token=false mlp_layer_type="SoftMoE_FFN" soft_moe_num_experts=32 soft_moe_num_slots=4
vit_s32 ViT 224x224 22493952 32 12 6 384 1536 0
vit_sam_b16 ViT_SAM 224x224 86624512 16 12 12 768 3072 0.1 window_size=[14,14] global_attn_indexes=[2,5,8,11] neck_channels=256
vit_sam_h16 ViT_SAM 224x224 631970048 16 32 16 1280 5120 0.5 window_size=[14,14] global_attn_indexes=[7,15,23,31] neck_channels=256
vit_sam_l16 ViT_SAM 224x224 304233472 16 24 16 1024 4096 0.4 window_size=[14,14] global_attn_indexes=[5,11,17,23] neck_channels=256
vit_so150m_p14_ap ViT 224x224 140960688 14 18 16 896 2320 0.1 class_token=false attn_pool_head=true
vit_so150m_p14_avg ViT 224x224 133582496 14 18 16 896 2320 0.1 class_token=false
vit_so150m_p16_avg ViT 224x224 133690016 16 18 16 896 2320 0.1 class_token=false
vit_so400m_p14_ap ViT 224x224 427680704 14 27 16 1152 4304 0.1 class_token=false attn_pool_head=true
vit_so400m_p14_ap_c1 ViT 224x224 427680704 14 27 16 1152 4304 0.1 class_token=false attn_pool_head=true attn_pool_norm_eps=0.000001
vit_so400m_p16_avg ViT 224x224 412580592 16 27 16 1152 4304 0.1 class_token=false
vit_t14 ViT 224x224 5501376 14 12 3 192 768 0
vit_t16 ViT 224x224 5524416 16 12 3 192 768 0
vit_t32 ViT 224x224 5938560 32 12 3 192 768 0
vit_vmoe_b16_16e_2k_every2 ViT_MoE 224x224 510891264 16 12 12 768 3072 0.1 moe_num_routed_experts=16 moe_top_k=2 moe_every_n_layers=2
vit_vmoe_b16_8e_2k_every2 ViT_MoE 224x224 284177664 16 12 12 768 3072 0.1 moe_num_routed_experts=8 moe_top_k=2 moe_every_n_layers=2
vit_vmoe_m16_16e_2k_every2_ls ViT_MoE 224x224 227360256 16 12 8 512 2048 0 layer_scale_init_value=0.00001 moe_num_routed_experts=16 moe_top_k=2 moe_every_n_layers=2
vit_vmoe_reg1_s16_8e_2k_last3s2 ViT_MoE 224x224 46488576 16 12 6 384 1536 0 num_reg_tokens=1 moe_num_routed_experts=8 moe_top_k=2 moe_last_n_layers=3 moe_last_n_layers_stride=2
vit_vmoe_reg1_vs32_8e_2k_last2s2 ViT_MoE 224x224 56224768 32 8 8 512 2048 0 num_reg_tokens=1 moe_num_routed_experts=8 moe_top_k=2 moe_last_n_layers=2 moe_last_n_layers_stride=2 mlp_head=true
vit_vmoe_reg8_so150m_p16_16e_2k_last3s2 ViT_MoE 224x224 320978672 16 18 16 896 2320 0.1 num_reg_tokens=8 moe_num_routed_experts=16 moe_top_k=2 moe_last_n_layers=3 moe_last_n_layers_stride=2
vit_vmoe_s16_8e_2k_last3s2 ViT_MoE 224x224 46487808 16 12 6 384 1536 0 moe_num_routed_experts=8 moe_top_k=2 moe_last_n_layers=3 moe_last_n_layers_stride=2
vit_vmoe_so150m_p16_16e_2k_last4s2 ViT_MoE 224x224 383388512 16 18 16 896 2320 0.1 moe_num_routed_experts=16 moe_top_k=2 moe_last_n_layers=4 moe_last_n_layers_stride=2
vit_vmoe_vs32_8e_2k_last2s2 ViT_MoE 224x224 56223744 32 8 8 512 2048 0 moe_num_routed_experts=8 moe_top_k=2 moe_last_n_layers=2 moe_last_n_layers_stride=2 mlp_head=true
vit_windowed_b16 ViT_Windowed 224x224 85798656 16 12 12 768 3072 0.1 num_windows=[2,2] global_attn_indexes=[5,11]
vit_windowed_l16 ViT_Windowed 224x224 303301632 16 24 16 1024 4096 0.1 num_windows=[2,2] global_attn_indexes=[5,11,17,23]
vit_windowed_reg1_s14_ls ViT_Windowed 224x224 21629568 14 12 6 384 1536 0 num_windows=[2,2] global_attn_indexes=[5,11] layer_scale_init_value=0.00001 num_reg_tokens=1
vit_windowed_reg4_s14_nps_ls ViT_Windowed 224x224 21629952 14 12 6 384 1536 0 pos_embed_special_tokens=false num_windows=[2,2] global_attn_indexes=[5,11] layer_scale_init_value=0.00001 num_reg_tokens=4
vit_windowed_reg4_s14_nps_ls_avg ViT_Windowed 224x224 21629568 14 12 6 384 1536 0 pos_embed_special_tokens=false class_token=false num_windows=[2,2] global_attn_indexes=[5,11] layer_scale_init_value=0.00001 num_reg_tokens=4
vit_windowed_s16 ViT_Windowed 224x224 21665664 16 12 6 384 1536 0 num_windows=[2,2] global_attn_indexes=[5,11]
`
