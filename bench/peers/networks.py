"""Finds the network that a name of the benchmark means, whichever library has it."""


def features(network, side, path):
    """Gives a module that takes pixels [B, 3, side, side] to all tokens after the final norm [B, T, D] and the embedding [B, D]."""
    if network.startswith("vit_"):
        import birder_net

        return birder_net.Features(network, side, path)
    import transformers_net

    return transformers_net.Features(network, path)
