/**
 * Lists, by their licences, the weights of timm 1.0.31 that are run and are not under Apache-2.0 (all others are): an architecture and its tags a line, as `license`
 * in timm's pretrained configs says. Those without a licence stand under the empty one.
 */
export const OTHER_LICENCES: Readonly<Record<string, string>> = {
  'apple-ascl': `
    aimv2_1b_patch14_224 apple_pt
    aimv2_1b_patch14_336 apple_pt
    aimv2_1b_patch14_448 apple_pt
    aimv2_3b_patch14_224 apple_pt
    aimv2_3b_patch14_336 apple_pt
    aimv2_3b_patch14_448 apple_pt
    aimv2_huge_patch14_224 apple_pt
    aimv2_huge_patch14_336 apple_pt
    aimv2_huge_patch14_448 apple_pt
    aimv2_large_patch14_224 apple_pt apple_pt_dist
    aimv2_large_patch14_336 apple_pt apple_pt_dist
    aimv2_large_patch14_448 apple_pt
    vit_base_patch16_clip_224 dfn2b
    vit_huge_patch14_clip_224 dfn5b
    vit_huge_patch14_clip_378 dfn5b
    vit_huge_patch14_clip_quickgelu_224 dfn5b
    vit_huge_patch14_clip_quickgelu_378 dfn5b
    vit_large_patch14_clip_224 dfn2b_s39b dfn2b
    vit_large_patch14_clip_quickgelu_224 dfn2b`,
  mit: `
    eva_large_patch14_196 in22k_ft_in22k_in1k in22k_ft_in1k
    eva_large_patch14_336 in22k_ft_in22k_in1k in22k_ft_in1k
    vit_base_patch16_clip_224 laion400m_e32
    vit_base_patch16_plus_clip_240 laion400m_e32
    vit_base_patch32_clip_224 laion400m_e32
    vit_base_patch32_clip_quickgelu_224 laion400m_e32
    vit_betwixt_patch32_clip_224 tinyclip_laion400m
    vit_intern300m_patch14_448 ogvl_dist
    vit_large_patch14_clip_224 laion400m_e32
    vit_medium_patch16_clip_224 tinyclip_yfcc15m
    vit_medium_patch32_clip_224 tinyclip_laion400m
    vit_xsmall_patch16_clip_224 tinyclip_yfcc15m
    eva02_base_patch14_224 mim_in22k
    eva02_base_patch14_448 mim_in22k_ft_in22k_in1k mim_in22k_ft_in22k mim_in22k_ft_in1k
    eva02_base_patch16_clip_224 merged2b
    eva02_enormous_patch14_clip_224 laion2b laion2b_plus
    eva02_large_patch14_224 mim_in22k mim_m38m
    eva02_large_patch14_448 mim_in22k_ft_in22k_in1k mim_m38m_ft_in22k_in1k mim_in22k_ft_in22k mim_m38m_ft_in22k mim_in22k_ft_in1k mim_m38m_ft_in1k
    eva02_large_patch14_clip_224 merged2b
    eva02_large_patch14_clip_336 merged2b
    eva02_small_patch14_224 mim_in22k
    eva02_small_patch14_336 mim_in22k_ft_in1k
    eva02_tiny_patch14_224 mim_in22k
    eva02_tiny_patch14_336 mim_in22k_ft_in1k
    eva_giant_patch14_224 clip_ft_in1k
    eva_giant_patch14_336 clip_ft_in1k m30m_ft_in22k_in1k
    eva_giant_patch14_560 m30m_ft_in22k_in1k
    eva_giant_patch14_clip_224 laion400m merged2b
    vit_base_patch16_rope_reg1_gap_256 sbb_in1k
    vit_betwixt_patch16_rope_reg4_gap_256 sbb_in1k
    vit_medium_patch16_rope_reg1_gap_256 sbb_in1k
    vit_mediumd_patch16_rope_reg1_gap_256 sbb_in1k`,
  '': `
    vit_base_patch16_224 bamboo`,
  'cc-by-nc-4.0': `
    vit_base_patch16_224 mae
    vit_base_patch16_clip_224 metaclip_2pt5b metaclip_400m
    vit_base_patch16_clip_quickgelu_224 metaclip_2pt5b metaclip_400m
    vit_base_patch32_clip_224 metaclip_2pt5b metaclip_400m
    vit_base_patch32_clip_quickgelu_224 metaclip_2pt5b metaclip_400m
    vit_gigantic_patch14_clip_224 metaclip2_worldwide metaclip_2pt5b
    vit_gigantic_patch14_clip_378 metaclip2_worldwide
    vit_gigantic_patch14_clip_quickgelu_224 metaclip_2pt5b
    vit_huge_patch14_224 mae
    vit_huge_patch14_clip_224 metaclip2_worldwide metaclip_2pt5b metaclip_altogether
    vit_huge_patch14_clip_378 metaclip2_worldwide
    vit_huge_patch14_clip_quickgelu_224 metaclip2_worldwide metaclip_2pt5b
    vit_large_patch14_clip_224 metaclip_2pt5b metaclip_400m
    vit_large_patch14_clip_quickgelu_224 metaclip_2pt5b metaclip_400m
    vit_large_patch16_224 mae`,
  'nvidia-open-model-license': `
    vit_base_patch16_radio_v3 c_radio
    vit_giant_patch16_radio_v3 c_radio
    vit_huge_patch16_radio_v3 c_radio
    vit_huge_patch16_radio_v4 c_radio
    vit_large_patch16_radio_v3 c_radio
    vit_so400m_patch16_radio_v4 c_radio
    naflexvit_base_patch16_radio_v3 c_radio
    naflexvit_giant_patch16_radio_v3 c_radio
    naflexvit_huge_patch16_radio_v3 c_radio
    naflexvit_huge_patch16_radio_v4 c_radio
    naflexvit_large_patch16_radio_v3 c_radio
    naflexvit_so400m_patch16_radio_v4 c_radio`,
  'apple-amlr': `
    vit_large_patch14_clip_224 apple_mclip2_dfndr2b`,
  'dinov3-license': `
    vit_7b_patch16_dinov3 lvd1689m sat493m
    vit_base_patch16_dinov3 lvd1689m
    vit_base_patch16_dinov3_qkvb lvd1689m
    vit_huge_plus_patch16_dinov3 lvd1689m
    vit_huge_plus_patch16_dinov3_qkvb lvd1689m
    vit_large_patch16_dinov3 lvd1689m sat493m
    vit_large_patch16_dinov3_qkvb lvd1689m sat493m
    vit_small_patch16_dinov3 lvd1689m
    vit_small_patch16_dinov3_qkvb lvd1689m
    vit_small_plus_patch16_dinov3 lvd1689m
    vit_small_plus_patch16_dinov3_qkvb lvd1689m`,
  'fair-noncommercial-research-license': `
    vit_base_patch16_dinov3_qkvb eupe_lvd1689m
    vit_small_patch16_dinov3_qkvb eupe_lvd1689m
    vit_tiny_patch16_dinov3_qkvb eupe_lvd1689m`,
}
