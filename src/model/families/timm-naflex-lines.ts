/**
 * Lists every architecture of timm 1.0.31 that is built of its class NaFlexVit, one a line, as timm-architectures.ts reads it. It was written from the syntax
 * of timm's models/naflexvit.py (Apache-2.0). Beside the keys of timm-lines.ts there are: `positions` (the kind of table), and how it is resampled:
 * `interpolation`, `antialias`, `aspect` (by the longer side) and `corners`.
 */
export const TIMM_NAFLEX_LINES: string = `
naflexvit_base_patch16_gap 12 768 pool=avg : half/1.0/384=e300_s576_in1k
naflexvit_base_patch16_map 12 768 pool=map : half/1.0/384=untrained
naflexvit_base_patch16_par_gap 12 768 pool=avg aspect=yes : half/1.0/384=e300_s576_in1k
naflexvit_base_patch16_parfac_gap 12 768 pool=avg positions=factorized aspect=yes : half/1.0/384=e300_s576_in1k
naflexvit_base_patch16_radio_v3 12 768 pool=token class_token=yes aspect=yes interpolation=bilinear antialias=no corners=yes : clip/1.0/512=c_radio
naflexvit_base_patch16_siglip 12 768 act=gelu_tanh pool=map interpolation=bilinear : half/1.0/384=v2_webli
naflexvit_giant_patch16_radio_v3 24 1536 pool=token class_token=yes aspect=yes interpolation=bilinear antialias=no : clip/1.0/512=c_radio
naflexvit_huge_patch16_radio_v3 16 1280 pool=token class_token=yes aspect=yes interpolation=bilinear antialias=no corners=yes : clip/1.0/512=c_radio
naflexvit_huge_patch16_radio_v4 16 1280 pool=token class_token=yes aspect=yes interpolation=bilinear antialias=no : clip/1.0/512=c_radio
naflexvit_large_patch16_radio_v3 16 1024 pool=token class_token=yes aspect=yes interpolation=bilinear antialias=no : clip/1.0/512=c_radio
naflexvit_so150m2_patch16_reg1_gap 13 832 pool=avg : half/1.0/384=untrained
naflexvit_so150m2_patch16_reg1_map 13 832 pool=map : half/1.0/384=untrained
naflexvit_so400m_patch16_radio_v4 16 1152 pool=token class_token=yes aspect=yes interpolation=bilinear antialias=no : clip/1.0/512=c_radio
naflexvit_so400m_patch16_siglip 16 1152 act=gelu_tanh pool=map interpolation=bilinear : half/1.0/384=v2_webli
`
