/**
 * Lists every architecture of timm 1.0.31 that is built of its class Eva, one a line, as timm-architectures.ts reads it: EVA and EVA-02, rotary ViTs of timm
 * and of naver, Perception Encoder, DINOv3, EUPE (whose weights are DINOv3's architectures), LingBot-Vision and Sapiens 2. It was written from the syntax of
 * timm's models/eva.py (Apache-2.0). Beside the keys of timm-lines.ts there are: `rope` (the kind of rotary positions), `ref` (the side of the grid that their
 * coordinates are scaled to), `offset`, `indexing`, `temperature`, `half` (which columns make a pair), `use_abs_pos_emb`, `pool_heads` and `kv_heads`.
 */
export const TIMM_EVA_LINES: string = `
eva02_base_patch14_224 12 768 pool=avg rope=cat ref=16 : clip/0.9/224=mim_in22k
eva02_base_patch14_448 12 768 pool=avg rope=cat ref=16 img_size=448 : clip/1.0/448/squash=mim_in22k_ft_in22k_in1k,mim_in22k_ft_in22k clip/1.0/448=mim_in22k_ft_in1k
eva02_base_patch16_clip_224 12 768 pool=token rope=cat ref=16 : clip/0.9/224=merged2b
eva02_enormous_patch14_clip_224 16 1792 pool=token block=ResPostBlock : clip/0.9/224=laion2b,laion2b_plus,pretrain
eva02_large_patch14_224 16 1024 pool=avg rope=cat ref=16 : clip/0.9/224=mim_in22k,mim_m38m
eva02_large_patch14_448 16 1024 pool=avg rope=cat ref=16 img_size=448 : clip/1.0/448/squash=mim_in22k_ft_in22k_in1k,mim_m38m_ft_in22k_in1k,mim_in22k_ft_in22k,mim_m38m_ft_in22k clip/1.0/448=mim_in22k_ft_in1k,mim_m38m_ft_in1k
eva02_large_patch14_clip_224 16 1024 pool=token rope=cat ref=16 : clip/0.9/224=merged2b
eva02_large_patch14_clip_336 16 1024 pool=token rope=cat ref=16 img_size=336 : clip/1.0/336=merged2b
eva02_small_patch14_224 6 384 pool=avg rope=cat ref=16 : clip/0.9/224=mim_in22k
eva02_small_patch14_336 6 384 pool=avg rope=cat ref=16 img_size=336 : clip/1.0/336=mim_in22k_ft_in1k
eva02_tiny_patch14_224 3 192 pool=avg rope=cat ref=16 : clip/0.9/224=mim_in22k
eva02_tiny_patch14_336 3 192 pool=avg rope=cat ref=16 img_size=336 : clip/1.0/336=mim_in22k_ft_in1k
eva_giant_patch14_224 16 1408 pool=avg : clip/0.9/224=clip_ft_in1k
eva_giant_patch14_336 16 1408 pool=avg : clip/1.0/336/squash=clip_ft_in1k imagenet/1.0/336/squash=m30m_ft_in22k_in1k
eva_giant_patch14_560 16 1408 pool=avg : imagenet/1.0/560/squash=m30m_ft_in22k_in1k
eva_giant_patch14_clip_224 16 1408 pool=token : clip/0.9/224=laion400m,merged2b
vit_5b_patch16_sapiens2 32 2432 pool=token kv_heads=yes :
vit_7b_patch16_dinov3 32 4096 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m satellite/1.0/256=sat493m
vit_base_patch16_dinov3 12 768 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m
vit_base_patch16_dinov3_qkvb 12 768 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m,eupe_lvd1689m
vit_base_patch16_lingbot 12 768 eps=1e-5 pool=token use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/512/squash/bilinear=robbyant
vit_base_patch16_rope_224 12 768 pool=token use_abs_pos_emb=no rope=cat indexing=xy temperature=100 : imagenet/0.9/224=naver_in1k
vit_base_patch16_rope_ape_224 12 768 pool=token no_embed_class=yes rope=cat indexing=xy temperature=100 : imagenet/0.9/224=naver_in1k
vit_base_patch16_rope_mixed_224 12 768 pool=token use_abs_pos_emb=no rope=mixed indexing=xy temperature=10 : imagenet/0.9/224=naver_in1k
vit_base_patch16_rope_mixed_ape_224 12 768 pool=token no_embed_class=yes rope=mixed indexing=xy temperature=10 : imagenet/0.9/224=naver_in1k
vit_base_patch16_rope_reg1_gap_256 12 768 pool=avg class_token=no use_abs_pos_emb=no rope=cat ref=16 img_size=256 : half/0.95/256=sbb_in1k
vit_base_patch16_sapiens2 12 768 pool=token kv_heads=yes :
vit_betwixt_patch16_rope_reg4_gap_256 10 640 pool=avg class_token=no use_abs_pos_emb=no rope=cat ref=16 img_size=256 : clip/0.95/256=sbb_in1k
vit_giant_patch16_lingbot 24 1536 eps=1e-5 pool=token use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/512/squash/bilinear=robbyant
vit_giant_patch16_sapiens2 24 1536 pool=token kv_heads=yes :
vit_huge_patch16_sapiens2 16 1280 pool=token kv_heads=yes :
vit_huge_plus_patch16_dinov3 20 1280 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m
vit_huge_plus_patch16_dinov3_qkvb 20 1280 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m
vit_large_patch16_dinov3 16 1024 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m satellite/1.0/256=sat493m
vit_large_patch16_dinov3_qkvb 16 1024 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m satellite/1.0/256=sat493m
vit_large_patch16_lingbot 16 1024 eps=1e-5 pool=token use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/512/squash/bilinear=robbyant
vit_large_patch16_rope_224 16 1024 pool=token use_abs_pos_emb=no rope=cat indexing=xy temperature=100 : imagenet/0.9/224=naver_in1k
vit_large_patch16_rope_ape_224 16 1024 pool=token no_embed_class=yes rope=cat indexing=xy temperature=100 : imagenet/0.9/224=naver_in1k
vit_large_patch16_rope_mixed_224 16 1024 pool=token use_abs_pos_emb=no rope=mixed indexing=xy temperature=10 : imagenet/0.9/224=naver_in1k
vit_large_patch16_rope_mixed_ape_224 16 1024 pool=token no_embed_class=yes rope=mixed indexing=xy temperature=10 : imagenet/0.9/224=naver_in1k
vit_large_patch16_sapiens2 16 1024 pool=token kv_heads=yes :
vit_medium_patch16_rope_reg1_gap_256 8 512 pool=avg class_token=no use_abs_pos_emb=no rope=cat ref=16 img_size=256 : half/0.95/256=sbb_in1k
vit_mediumd_patch16_rope_reg1_gap_256 8 512 pool=avg class_token=no use_abs_pos_emb=no rope=cat ref=16 img_size=256 : half/0.95/256=sbb_in1k
vit_pe_core_base_patch16_224 12 768 eps=1e-5 pool=map rope=cat ref=14 offset=1 indexing=xy pool_heads=8 : half/1.0/224=fb
vit_pe_core_gigantic_patch14_448 16 1536 eps=1e-5 pool=map class_token=no rope=cat ref=32 indexing=xy pool_heads=8 : half/1.0/448=fb
vit_pe_core_large_patch14_336 16 1024 eps=1e-5 pool=map rope=cat ref=24 offset=1 indexing=xy pool_heads=8 : half/1.0/336=fb
vit_pe_core_small_patch16_384 6 384 eps=1e-5 pool=map rope=cat ref=24 offset=1 indexing=xy pool_heads=8 : half/1.0/384=fb
vit_pe_core_tiny_patch16_384 3 192 eps=1e-5 pool=map rope=cat ref=24 offset=1 indexing=xy pool_heads=8 : half/1.0/384=fb
vit_pe_lang_gigantic_patch14_448 16 1536 eps=1e-5 pool=avg class_token=no rope=cat ref=32 indexing=xy : half/1.0/448=fb,fb_tiling
vit_pe_lang_large_patch14_448 16 1024 eps=1e-5 pool=avg rope=cat ref=32 offset=1 indexing=xy : half/1.0/448=fb,fb_tiling
vit_pe_spatial_base_patch16_512 12 768 eps=1e-5 pool=avg rope=cat ref=32 offset=1 indexing=xy : half/1.0/512=fb
vit_pe_spatial_gigantic_patch14_448 16 1536 eps=1e-5 pool=avg class_token=no rope=cat ref=32 indexing=xy : half/1.0/448=fb
vit_pe_spatial_large_patch14_448 16 1024 eps=1e-5 pool=avg rope=cat ref=32 offset=1 indexing=xy : half/1.0/448=fb
vit_pe_spatial_small_patch16_512 6 384 eps=1e-5 pool=avg rope=cat ref=32 offset=1 indexing=xy : half/1.0/512=fb
vit_pe_spatial_tiny_patch16_512 3 192 eps=1e-5 pool=avg rope=cat ref=32 offset=1 indexing=xy : half/1.0/512=fb
vit_small_patch16_dinov3 6 384 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m
vit_small_patch16_dinov3_qkvb 6 384 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m,eupe_lvd1689m
vit_small_patch16_lingbot 6 384 eps=1e-5 pool=token use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/512/squash/bilinear=robbyant
vit_small_patch16_rope_224 6 384 pool=token use_abs_pos_emb=no rope=cat indexing=xy temperature=100 : imagenet/0.9/224=naver_in1k
vit_small_patch16_rope_ape_224 6 384 pool=token no_embed_class=yes rope=cat indexing=xy temperature=100 : imagenet/0.9/224=naver_in1k
vit_small_patch16_rope_mixed_224 6 384 pool=token use_abs_pos_emb=no rope=mixed indexing=xy temperature=10 : imagenet/0.9/224=naver_in1k
vit_small_patch16_rope_mixed_ape_224 6 384 pool=token no_embed_class=yes rope=mixed indexing=xy temperature=10 : imagenet/0.9/224=naver_in1k
vit_small_plus_patch16_dinov3 6 384 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m
vit_small_plus_patch16_dinov3_qkvb 6 384 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=lvd1689m
vit_tiny_patch16_dinov3_qkvb 3 192 eps=1e-5 pool=avg use_abs_pos_emb=no rope=dinov3 temperature=100 half=yes : imagenet/1.0/256=eupe_lvd1689m
`
