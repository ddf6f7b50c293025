"""What happens inside a model: states by skill, entropy, ablation, patching.

    texts → forward → hooks → pca, entropy, ablate → pairs → patch → figures → page → analyse

docs/analysis.md explains each measure.
"""
