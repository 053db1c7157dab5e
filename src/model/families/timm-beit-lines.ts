/**
 * Lists every architecture of timm 1.0.31 that is built of its classes Beit and VisionTransformerRelPos, one a line, as timm-architectures.ts reads it. It was
 * written from the syntax of timm's models/beit.py and models/vision_transformer_relpos.py (Apache-2.0).
 */
export const TIMM_BEIT_LINES: string = `
beit_base_patch16_224 12 768 pool=avg use_abs_pos_emb=no : half/0.9/224=in22k_ft_in22k_in1k,in22k_ft_in22k
beit_base_patch16_384 12 768 pool=avg use_abs_pos_emb=no img_size=384 : half/1.0/384=in22k_ft_in22k_in1k
beit_large_patch16_224 16 1024 pool=avg use_abs_pos_emb=no : half/0.9/224=in22k_ft_in22k_in1k,in22k_ft_in22k
beit_large_patch16_384 16 1024 pool=avg use_abs_pos_emb=no img_size=384 : half/1.0/384=in22k_ft_in22k_in1k
beit_large_patch16_512 16 1024 pool=avg use_abs_pos_emb=no img_size=512 : half/1.0/512=in22k_ft_in22k_in1k
beitv2_base_patch16_224 12 768 pool=avg use_abs_pos_emb=no : imagenet/0.9/224=in1k_ft_in22k_in1k,in1k_ft_in1k,in1k_ft_in22k
beitv2_large_patch16_224 16 1024 pool=avg use_abs_pos_emb=no : imagenet/0.95/224=in1k_ft_in22k_in1k,in1k_ft_in1k imagenet/0.9/224=in1k_ft_in22k
`

export const TIMM_RELPOS_LINES: string = `
test_vit_relpos 3 96 pool=avg : half/0.95/160=untrained
vit_relpos_base_patch16_224 12 768 pool=avg : half/0.9/224=sw_in1k
vit_relpos_base_patch16_cls_224 12 768 pool=token class_token=yes : half/0.9/224=untrained
vit_relpos_base_patch16_clsgap_224 12 768 pool=avg class_token=yes : half/0.9/224=sw_in1k
vit_relpos_base_patch16_plus_240 14 896 pool=avg : half/0.9/240=untrained
vit_relpos_base_patch16_rpn_224 12 768 pool=avg block=ResPostBlock : half/0.9/224=untrained
vit_relpos_base_patch32_plus_rpn_256 14 896 pool=avg block=ResPostBlock : half/0.9/256=sw_in1k
vit_relpos_medium_patch16_224 8 512 pool=avg : half/0.9/224=sw_in1k
vit_relpos_medium_patch16_cls_224 8 512 pool=token class_token=yes : half/0.9/224=sw_in1k
vit_relpos_medium_patch16_rpn_224 8 512 pool=avg block=ResPostBlock : half/0.9/224=sw_in1k
vit_relpos_small_patch16_224 6 384 pool=avg : half/0.9/224=sw_in1k
vit_relpos_small_patch16_rpn_224 6 384 pool=avg block=ResPostBlock : half/0.9/224=untrained
vit_srelpos_medium_patch16_224 8 512 pool=avg : half/0.9/224=sw_in1k
vit_srelpos_small_patch16_224 6 384 pool=avg : half/0.9/224=sw_in1k
`
