/**
 * Lists every architecture of timm 1.0.31 that is built of its class VisionTransformer, one a line, as timm-architectures.ts reads it. It was
 * written from the syntax of timm's models/vision_transformer.py and models/deit.py (Apache-2.0).
 */
export const TIMM_LINES: string = `
aimv2_1b_patch14_224 16 2048 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/224=apple_pt
aimv2_1b_patch14_336 16 2048 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/336=apple_pt
aimv2_1b_patch14_448 16 2048 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/448=apple_pt
aimv2_3b_patch14_224 24 3072 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/224=apple_pt
aimv2_3b_patch14_336 24 3072 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/336=apple_pt
aimv2_3b_patch14_448 24 3072 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/448=apple_pt
aimv2_huge_patch14_224 12 1536 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/224=apple_pt
aimv2_huge_patch14_336 12 1536 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/336=apple_pt
aimv2_huge_patch14_448 12 1536 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/448=apple_pt
aimv2_large_patch14_224 8 1024 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/224=apple_pt,apple_pt_dist
aimv2_large_patch14_336 8 1024 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/336=apple_pt,apple_pt_dist
aimv2_large_patch14_448 8 1024 eps=1e-5 norm=rmsNorm act=silu mlp=SwiGLU embed_norm=yes pool=avg fc_norm=no class_token=no : clip/1.0/448=apple_pt
beit3_base_patch16_224 12 768 eps=1e-5 pool=avg scale_mlp_norm=yes : imagenet/1.0/224=in22k_ft_in1k,indomain_in22k_ft_in1k,pt,indomain_pt
beit3_giant_patch14_224 16 1408 eps=1e-5 pool=avg scale_mlp_norm=yes : imagenet/1.0/224=untrained
beit3_giant_patch14_336 16 1408 eps=1e-5 pool=avg scale_mlp_norm=yes img_size=336 : imagenet/1.0/336=untrained
beit3_large_patch16_224 16 1024 eps=1e-5 pool=avg scale_mlp_norm=yes : imagenet/1.0/224=in22k_ft_in1k,indomain_in22k_ft_in1k,pt,indomain_pt
deit3_base_patch16_224 12 768 no_embed_class=yes : imagenet/0.9/224=fb_in1k imagenet/1.0/224=fb_in22k_ft_in1k
deit3_base_patch16_384 12 768 no_embed_class=yes : imagenet/1.0/384=fb_in1k,fb_in22k_ft_in1k
deit3_huge_patch14_224 16 1280 no_embed_class=yes : imagenet/0.9/224=fb_in1k imagenet/1.0/224=fb_in22k_ft_in1k
deit3_large_patch16_224 16 1024 no_embed_class=yes : imagenet/0.9/224=fb_in1k imagenet/1.0/224=fb_in22k_ft_in1k
deit3_large_patch16_384 16 1024 no_embed_class=yes : imagenet/1.0/384=fb_in1k,fb_in22k_ft_in1k
deit3_medium_patch16_224 8 512 no_embed_class=yes : imagenet/0.9/224=fb_in1k imagenet/1.0/224=fb_in22k_ft_in1k
deit3_small_patch16_224 6 384 no_embed_class=yes : imagenet/0.9/224=fb_in1k imagenet/1.0/224=fb_in22k_ft_in1k
deit3_small_patch16_384 6 384 no_embed_class=yes : imagenet/1.0/384=fb_in1k,fb_in22k_ft_in1k
deit_base_distilled_patch16_224 12 768 distilled=yes : imagenet/0.9/224=fb_in1k
deit_base_distilled_patch16_384 12 768 distilled=yes : imagenet/1.0/384=fb_in1k
deit_base_patch16_224 12 768 : imagenet/0.9/224=fb_in1k
deit_base_patch16_384 12 768 : imagenet/1.0/384=fb_in1k
deit_small_distilled_patch16_224 6 384 distilled=yes : imagenet/0.9/224=fb_in1k
deit_small_patch16_224 6 384 : imagenet/0.9/224=fb_in1k
deit_tiny_distilled_patch16_224 3 192 distilled=yes : imagenet/0.9/224=fb_in1k
deit_tiny_patch16_224 3 192 : imagenet/0.9/224=fb_in1k
eva_large_patch14_196 16 1024 pool=avg : clip/1.0/196=in22k_ft_in22k_in1k,in22k_ft_in1k
eva_large_patch14_336 16 1024 pool=avg : clip/1.0/336/squash=in22k_ft_in22k_in1k,in22k_ft_in1k
flexivit_base 12 768 no_embed_class=yes : half/0.95/240=1200ep_in1k,600ep_in1k,300ep_in1k,1000ep_in21k,300ep_in21k,patch16_in21k,patch30_in21k
flexivit_large 16 1024 no_embed_class=yes : half/0.95/240=1200ep_in1k,600ep_in1k,300ep_in1k
flexivit_small 6 384 no_embed_class=yes : half/0.95/240=1200ep_in1k,600ep_in1k,300ep_in1k
test_vit 2 64 : half/0.95/160=r160_in1k
test_vit2 2 64 pool=avg class_token=no : half/0.95/160=r160_in1k
test_vit3 3 96 pool=map class_token=no pool_include_prefix=yes : half/0.95/160=r160_in1k
test_vit4 3 96 norm=rmsNorm pool=avg class_token=no : half/0.95/160=r160_in1k
vit_base_patch14_dinov2 12 768 : imagenet/1.0/518=lvd142m
vit_base_patch14_reg1_tipsv2 12 768 no_embed_class=yes : none/1.0/448=webli
vit_base_patch14_reg4_dinov2 12 768 no_embed_class=yes : imagenet/1.0/518=lvd142m
vit_base_patch16_18x2_224 12 768 block=ParallelThingsBlock : half/0.9/224=untrained
vit_base_patch16_224 12 768 : half/0.9/224=augreg2_in21k_ft_in1k,augreg_in21k_ft_in1k,orig_in21k_ft_in1k,augreg_in1k,orig_in21k,augreg_in21k,sam_in1k clip/1.0/224=bamboo imagenet/0.9/224=dino,mae
vit_base_patch16_224_miil 12 768 : none/0.875/224/bilinear=in21k,in21k_ft_in1k
vit_base_patch16_384 12 768 : half/1.0/384=augreg_in21k_ft_in1k,orig_in21k_ft_in1k,augreg_in1k
vit_base_patch16_clip_224 12 768 eps=1e-5 : clip/0.95/224=laion2b_ft_in12k_in1k,openai_ft_in12k_in1k clip/1.0/224=laion2b_ft_in1k,laion2b,laion400m_e32,datacompxl,dfn2b,metaclip_2pt5b,metaclip_400m clip/0.9/224=openai_ft_in1k,laion2b_ft_in12k,openai_ft_in12k,openai
vit_base_patch16_clip_384 12 768 eps=1e-5 : clip/1.0/384/squash=laion2b_ft_in12k_in1k,laion2b_ft_in1k,openai_ft_in1k clip/0.95/384/squash=openai_ft_in12k_in1k
vit_base_patch16_clip_quickgelu_224 12 768 eps=1e-5 act=quick_gelu : clip/1.0/224=metaclip_2pt5b,metaclip_400m clip/0.9/224=openai
vit_base_patch16_gap_224 16 768 pool=avg fc_norm=no class_token=no : half/0.9/224=untrained
vit_base_patch16_plus_240 14 896 : half/0.95/240=untrained
vit_base_patch16_plus_clip_240 14 896 eps=1e-5 : clip/1.0/240=laion400m_e32
vit_base_patch16_radio_v3 12 768 no_embed_class=yes final_norm=no img_size=512 : clip/1.0/512=c_radio
vit_base_patch16_reg4_gap_256 12 768 pool=avg class_token=no no_embed_class=yes : half/0.9/256=untrained
vit_base_patch16_rpn_224 12 768 block=ResPostBlock pool=avg class_token=no : half/0.9/224=sw_in1k
vit_base_patch16_siglip_224 12 768 pool=map class_token=no : half/0.9/224=v2_webli,webli
vit_base_patch16_siglip_256 12 768 pool=map class_token=no : half/0.9/256=v2_webli,webli,webli_i18n
vit_base_patch16_siglip_384 12 768 pool=map class_token=no : half/0.9/384=v2_webli,webli
vit_base_patch16_siglip_512 12 768 pool=map class_token=no : half/0.9/512=v2_webli,webli
vit_base_patch16_siglip_gap_224 12 768 pool=avg fc_norm=no class_token=no : half/0.9/224=v2_webli,webli
vit_base_patch16_siglip_gap_256 12 768 pool=avg fc_norm=no class_token=no : half/0.9/256=v2_webli,webli,webli_i18n
vit_base_patch16_siglip_gap_384 12 768 pool=avg fc_norm=no class_token=no : half/0.9/384=v2_webli,webli
vit_base_patch16_siglip_gap_512 12 768 pool=avg fc_norm=no class_token=no : half/0.9/512=v2_webli,webli
vit_base_patch16_xp_224 12 768 norm=rmsNorm block=ParallelScalingBlock no_embed_class=yes : half/0.9/224=untrained
vit_base_patch32_224 12 768 : half/0.9/224=augreg_in21k_ft_in1k,augreg_in1k,orig_in21k,augreg_in21k,sam_in1k
vit_base_patch32_384 12 768 : half/1.0/384=augreg_in21k_ft_in1k,augreg_in1k
vit_base_patch32_clip_224 12 768 eps=1e-5 : clip/0.9/224=laion2b_ft_in12k_in1k,openai_ft_in12k_in1k,laion2b_ft_in1k,openai_ft_in1k,laion2b,laion400m_e32,openai clip/1.0/224=datacompxl,metaclip_2pt5b,metaclip_400m
vit_base_patch32_clip_256 12 768 eps=1e-5 : clip/1.0/256=datacompxl
vit_base_patch32_clip_384 12 768 eps=1e-5 : clip/1.0/384=laion2b_ft_in12k_in1k clip/0.95/384/squash=openai_ft_in12k_in1k
vit_base_patch32_clip_448 12 768 eps=1e-5 : clip/1.0/448=laion2b_ft_in12k_in1k
vit_base_patch32_clip_quickgelu_224 12 768 eps=1e-5 act=quick_gelu : clip/0.9/224=laion400m_e32,openai clip/1.0/224=metaclip_2pt5b,metaclip_400m
vit_base_patch32_plus_256 14 896 : half/0.95/256=untrained
vit_base_patch32_siglip_256 12 768 act=gelu_tanh pool=map class_token=no : half/0.9/256=v2_webli
vit_base_patch32_siglip_gap_256 12 768 act=gelu_tanh pool=avg fc_norm=no class_token=no : half/0.9/256=v2_webli
vit_base_patch8_224 12 768 : half/0.9/224=augreg2_in21k_ft_in1k,augreg_in21k_ft_in1k,augreg_in21k imagenet/0.9/224=dino
vit_betwixt_patch16_gap_256 10 640 pool=avg fc_norm=no class_token=no : half/0.95/256=untrained
vit_betwixt_patch16_reg1_gap_256 10 640 pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb_in1k
vit_betwixt_patch16_reg4_gap_256 10 640 pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb2_e200_in12k_ft_in1k,sbb_in12k_ft_in1k,sbb_in1k,sbb2_e200_in12k,sbb_in12k
vit_betwixt_patch16_reg4_gap_384 10 640 pool=avg class_token=no no_embed_class=yes : half/1.0/384=sbb2_e200_in12k_ft_in1k
vit_betwixt_patch32_clip_224 10 640 eps=1e-5 : clip/0.9/224=tinyclip_laion400m
vit_dlittle_patch16_reg1_gap_256 5 320 attn=diff pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb_nadamuon_in1k
vit_dpwee_patch16_reg1_gap_256 4 256 block=DiffParallelScalingBlock pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb_nadamuon_in1k,sbb_in1k
vit_dwee_patch16_reg1_gap_256 4 256 attn=diff pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb_nadamuon_in1k,sbb_in1k
vit_giant_patch14_224 16 1408 : half/0.9/224=untrained
vit_giant_patch14_clip_224 16 1408 eps=1e-5 : clip/1.0/224=laion2b
vit_giant_patch14_dinov2 24 1536 act=silu mlp=SwiGLUPacked : imagenet/1.0/518=lvd142m
vit_giant_patch14_reg1_tipsv2 24 1536 act=silu mlp=SwiGLUPacked no_embed_class=yes : none/1.0/448=webli
vit_giant_patch14_reg4_dinov2 24 1536 act=silu mlp=SwiGLUPacked no_embed_class=yes : imagenet/1.0/518=lvd142m
vit_giant_patch16_gap_224 16 1408 pool=avg fc_norm=no class_token=no : imagenet/0.9/224=in22k_ijepa
vit_giant_patch16_radio_v3 24 1536 no_embed_class=yes final_norm=no img_size=512 : clip/1.0/512=c_radio
vit_giantopt_patch16_siglip_256 16 1536 act=gelu_tanh pool=map class_token=no : half/0.9/256=v2_webli
vit_giantopt_patch16_siglip_384 16 1536 act=gelu_tanh pool=map class_token=no : half/0.9/384=v2_webli
vit_giantopt_patch16_siglip_gap_256 16 1536 act=gelu_tanh pool=avg fc_norm=no class_token=no : half/0.9/256=v2_webli
vit_giantopt_patch16_siglip_gap_384 16 1536 act=gelu_tanh pool=avg fc_norm=no class_token=no : half/0.9/384=v2_webli
vit_gigantic_patch14_224 16 1664 : half/0.9/224=untrained
vit_gigantic_patch14_clip_224 16 1664 eps=1e-5 : clip/1.0/224=laion2b,metaclip2_worldwide,metaclip_2pt5b
vit_gigantic_patch14_clip_378 16 1664 eps=1e-5 : clip/1.0/378/squash=metaclip2_worldwide
vit_gigantic_patch14_clip_quickgelu_224 16 1664 eps=1e-5 act=quick_gelu : clip/1.0/224=metaclip_2pt5b
vit_huge_patch14_224 16 1280 : half/0.9/224=untrained,orig_in21k imagenet/0.9/224=mae
vit_huge_patch14_clip_224 16 1280 eps=1e-5 : clip/1.0/224=laion2b_ft_in12k_in1k,laion2b_ft_in1k,laion2b_ft_in12k,laion2b,dfn5b,metaclip2_worldwide,metaclip_2pt5b,metaclip_altogether
vit_huge_patch14_clip_336 16 1280 eps=1e-5 : clip/1.0/336/squash=laion2b_ft_in12k_in1k,laion2b_ft_in1k
vit_huge_patch14_clip_378 16 1280 eps=1e-5 : clip/1.0/378=dfn5b clip/1.0/378/squash=metaclip2_worldwide
vit_huge_patch14_clip_quickgelu_224 16 1280 eps=1e-5 act=quick_gelu : clip/1.0/224=dfn5b,metaclip2_worldwide,metaclip_2pt5b
vit_huge_patch14_clip_quickgelu_378 16 1280 eps=1e-5 act=quick_gelu : clip/1.0/378=dfn5b
vit_huge_patch14_gap_224 16 1280 pool=avg fc_norm=no class_token=no : imagenet/0.9/224=in1k_ijepa,in22k_ijepa
vit_huge_patch14_xp_224 16 1280 norm=rmsNorm block=ParallelScalingBlock no_embed_class=yes : half/0.9/224=untrained
vit_huge_patch16_gap_448 16 1280 pool=avg fc_norm=no class_token=no : imagenet/1.0/448=in1k_ijepa
vit_huge_patch16_radio_v3 16 1280 no_embed_class=yes final_norm=no img_size=512 : clip/1.0/512=c_radio
vit_huge_patch16_radio_v4 16 1280 no_embed_class=yes final_norm=no img_size=512 : clip/1.0/512=c_radio
vit_intern300m_patch14_448 16 1024 final_norm=no : imagenet/1.0/448=ogvl_dist,ogvl_2pt5
vit_large_patch14_224 16 1024 : half/0.9/224=untrained
vit_large_patch14_clip_224 16 1024 eps=1e-5 : half/1.0/224=laion2b_ft_in12k_in1k,laion2b_ft_in1k,laion2b_ft_in12k,laion2b clip/1.0/224=openai_ft_in12k_in1k,openai_ft_in1k,openai_ft_in12k,laion400m_e32,datacompxl,dfn2b_s39b,dfn2b,metaclip_2pt5b,metaclip_400m,openai,apple_mclip2_dfndr2b
vit_large_patch14_clip_336 16 1024 eps=1e-5 : half/1.0/336/squash=laion2b_ft_in12k_in1k,laion2b_ft_in1k clip/1.0/336/squash=openai_ft_in12k_in1k clip/1.0/336=openai
vit_large_patch14_clip_quickgelu_224 16 1024 eps=1e-5 act=quick_gelu : clip/1.0/224=dfn2b,metaclip_2pt5b,metaclip_400m,openai
vit_large_patch14_clip_quickgelu_336 16 1024 eps=1e-5 act=quick_gelu : clip/1.0/336=openai
vit_large_patch14_dinov2 16 1024 : imagenet/1.0/518=lvd142m
vit_large_patch14_reg1_tipsv2 16 1024 no_embed_class=yes : none/1.0/448=webli
vit_large_patch14_reg4_dinov2 16 1024 no_embed_class=yes : imagenet/1.0/518=lvd142m
vit_large_patch14_xp_224 16 1024 norm=rmsNorm block=ParallelScalingBlock no_embed_class=yes : half/0.9/224=untrained
vit_large_patch16_224 16 1024 : half/0.9/224=augreg_in21k_ft_in1k,orig_in21k,augreg_in21k imagenet/0.9/224=mae
vit_large_patch16_384 16 1024 : half/1.0/384=augreg_in21k_ft_in1k
vit_large_patch16_radio_v3 16 1024 no_embed_class=yes final_norm=no img_size=512 : clip/1.0/512=c_radio
vit_large_patch16_siglip_256 16 1024 pool=map class_token=no : half/0.9/256=v2_webli,webli
vit_large_patch16_siglip_384 16 1024 pool=map class_token=no : half/0.9/384=v2_webli,webli
vit_large_patch16_siglip_512 16 1024 act=gelu_tanh pool=map class_token=no : half/0.9/512=v2_webli
vit_large_patch16_siglip_gap_256 16 1024 pool=avg fc_norm=no class_token=no : half/0.9/256=v2_webli,webli
vit_large_patch16_siglip_gap_384 16 1024 pool=avg fc_norm=no class_token=no : half/0.9/384=v2_webli,webli
vit_large_patch16_siglip_gap_512 16 1024 act=gelu_tanh pool=avg fc_norm=no class_token=no : half/0.9/512=v2_webli
vit_large_patch32_224 16 1024 : half/0.9/224=orig_in21k
vit_large_patch32_384 16 1024 : half/1.0/384=orig_in21k_ft_in1k
vit_little_patch16_reg1_gap_256 5 320 pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb_in12k_ft_in1k,sbb_in12k
vit_little_patch16_reg4_gap_256 5 320 pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb_in1k
vit_medium_patch16_clip_224 8 512 eps=1e-5 : clip/0.9/224=tinyclip_yfcc15m
vit_medium_patch16_gap_240 8 512 pool=avg fc_norm=no class_token=no : half/0.95/240=sw_in12k
vit_medium_patch16_gap_256 8 512 pool=avg fc_norm=no class_token=no : half/0.95/256=sw_in12k_ft_in1k
vit_medium_patch16_gap_384 8 512 pool=avg fc_norm=no class_token=no : half/0.95/384/squash=sw_in12k_ft_in1k
vit_medium_patch16_reg1_gap_256 8 512 pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb_in1k
vit_medium_patch16_reg4_gap_256 8 512 pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb_in12k_ft_in1k,sbb_in1k,sbb_in12k
vit_medium_patch32_clip_224 8 512 eps=1e-5 : clip/0.9/224=tinyclip_laion400m
vit_mediumd_patch16_reg4_gap_256 8 512 pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb2_e200_in12k_ft_in1k,sbb_in12k_ft_in1k,sbb2_e200_in12k,sbb_in12k
vit_mediumd_patch16_reg4_gap_384 8 512 pool=avg class_token=no no_embed_class=yes : half/1.0/384=sbb2_e200_in12k_ft_in1k
vit_pwee_patch16_reg1_gap_256 4 256 block=ParallelScalingBlock pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb_in1k
vit_small_patch14_dinov2 6 384 : imagenet/1.0/518=lvd142m
vit_small_patch14_reg4_dinov2 6 384 no_embed_class=yes : imagenet/1.0/518=lvd142m
vit_small_patch16_18x2_224 6 384 block=ParallelThingsBlock : half/0.9/224=untrained
vit_small_patch16_224 6 384 : half/0.9/224=augreg_in21k_ft_in1k,augreg_in1k,augreg_in21k imagenet/0.9/224=dino
vit_small_patch16_36x1_224 6 384 : half/0.9/224=untrained
vit_small_patch16_384 6 384 : half/1.0/384=augreg_in21k_ft_in1k,augreg_in1k
vit_small_patch32_224 6 384 : half/0.9/224=augreg_in21k_ft_in1k,augreg_in21k
vit_small_patch32_384 6 384 : half/1.0/384=augreg_in21k_ft_in1k
vit_small_patch8_224 6 384 : imagenet/0.9/224=dino
vit_so150m2_patch16_reg1_gap_256 13 832 pool=avg class_token=no : half/1.0/256=sbb_e200_in12k_ft_in1k,sbb_e200_in12k
vit_so150m2_patch16_reg1_gap_384 13 832 pool=avg class_token=no : half/1.0/384=sbb_e200_in12k_ft_in1k
vit_so150m2_patch16_reg1_gap_448 13 832 pool=avg class_token=no : half/1.0/448/squash=sbb_e200_in12k_ft_in1k
vit_so150m_patch16_reg4_gap_256 14 896 pool=avg fc_norm=no class_token=no : half/0.95/256=sbb_e250_in12k_ft_in1k,sbb_e250_in12k
vit_so150m_patch16_reg4_gap_384 14 896 pool=avg fc_norm=no class_token=no : half/1.0/384=sbb_e250_in12k_ft_in1k
vit_so150m_patch16_reg4_map_256 14 896 pool=map class_token=no : half/0.9/256=untrained
vit_so400m_patch14_reg1_tipsv2 16 1152 no_embed_class=yes : none/1.0/448=webli
vit_so400m_patch14_siglip_224 16 1152 pool=map class_token=no : half/0.9/224=v2_webli,webli
vit_so400m_patch14_siglip_378 16 1152 pool=map class_token=no : half/0.9/378=v2_webli,webli half/1.0/378/squash=webli_ft_in1k
vit_so400m_patch14_siglip_384 16 1152 pool=map class_token=no : half/0.9/384=webli
vit_so400m_patch14_siglip_gap_224 16 1152 pool=avg fc_norm=no class_token=no : half/0.9/224=v2_webli,webli,pali_mix,pali_pt,pali2_3b_pt,pali2_10b_pt
vit_so400m_patch14_siglip_gap_378 16 1152 pool=avg fc_norm=no class_token=no : half/0.9/378=v2_webli half/1.0/378=webli half/1.0/378/squash=webli_ft_in1k
vit_so400m_patch14_siglip_gap_384 16 1152 pool=avg fc_norm=no class_token=no : half/1.0/384=webli
vit_so400m_patch14_siglip_gap_448 16 1152 pool=avg fc_norm=no class_token=no : half/1.0/448=pali_mix,pali_pt,pali_refcoco_seg,pali_ocrvqa,pali2_3b_pt,pali2_10b_pt,pali2_3b_docci,pali2_10b_docci
vit_so400m_patch14_siglip_gap_896 16 1152 pool=avg fc_norm=no class_token=no : half/1.0/896=pali_pt,pali_refcoco_seg,pali_ocrvqa,pali2_3b_pt,pali2_10b_pt
vit_so400m_patch16_radio_v4 16 1152 no_embed_class=yes final_norm=no img_size=512 : clip/1.0/512=c_radio
vit_so400m_patch16_siglip_256 16 1152 act=gelu_tanh pool=map class_token=no : half/0.9/256=v2_webli,webli_i18n
vit_so400m_patch16_siglip_384 16 1152 act=gelu_tanh pool=map class_token=no : half/0.9/384=v2_webli
vit_so400m_patch16_siglip_512 16 1152 act=gelu_tanh pool=map class_token=no : half/0.9/512=v2_webli
vit_so400m_patch16_siglip_gap_256 16 1152 act=gelu_tanh pool=avg fc_norm=no class_token=no : half/0.9/256=v2_webli,webli_i18n
vit_so400m_patch16_siglip_gap_384 16 1152 act=gelu_tanh pool=avg fc_norm=no class_token=no : half/0.9/384=v2_webli
vit_so400m_patch16_siglip_gap_512 16 1152 act=gelu_tanh pool=avg fc_norm=no class_token=no : half/0.9/512=v2_webli
vit_tiny_patch16_224 3 192 : half/0.9/224=augreg_in21k_ft_in1k,augreg_in21k
vit_tiny_patch16_384 3 192 : half/1.0/384=augreg_in21k_ft_in1k
vit_wee_patch16_reg1_gap_256 4 256 pool=avg class_token=no no_embed_class=yes : half/0.95/256=sbb_in1k
vit_xsmall_patch16_clip_224 4 256 eps=1e-5 : clip/0.9/224=tinyclip_yfcc15m
`
