  # Activation checkpointing cuts the graph into stitches and blocks, the layers of one stream between two stitches, each with leaves of its own.

  def stream_graph(self: __torch__.K, x: Tensor, models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], i: int, first: int, last: int) -> List[Tensor]:
    # [leaf, state behind layers first .. last - 1 of stream i]; no graph where x has none
    leaf = torch.requires_grad_(torch.detach(x), ops.prim.requires_grad(x))
    return [leaf, (self).stream_layers(leaf, i, models, ropes, rows, first, last)]

  # The layers of streams that need no graph, see layers.py

  def stream_is_kept(self: __torch__.K, models: List[__torch__.Llama], ropes: List[List[Tensor]], i: int) -> bool:
    return (self).keeps_layers(models[i], ropes[i])

  def kept_stream(self: __torch__.K, x: Tensor, models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], i: int, first: int, last: int) -> List[Tensor]:
    return (self).kept_layers((self).here(x, models[i].norm), models[i], ropes[i], rows[i], first, last)

  def stream_gradient(self: __torch__.K, g: Tensor, kept: List[Tensor], models: List[__torch__.Llama], ropes: List[List[Tensor]], rows: List[int], i: int, first: int, last: int) -> Tensor:
    return (self).layers_gradient(g, kept, models[i], ropes[i], rows[i], first, last)
