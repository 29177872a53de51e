  # Activation checkpointing cuts the graph into stitches and blocks, the layers of one stream between two stitches, each with leaves of its own.

  def stream_graph(self: __torch__.K, x: Tensor, models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], i: int, first: int, last: int) -> List[Tensor]:
    # [leaf, state behind layers first .. last - 1 of stream i]; no graph where x has none
    leaf = torch.requires_grad_(torch.detach(x), ops.prim.requires_grad(x))
    return [leaf, (self).stream_layers(leaf, i, models, ropes, rows, first, last)]
