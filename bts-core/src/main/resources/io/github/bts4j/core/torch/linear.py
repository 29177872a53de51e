  # y = x w^T + b, where libtorch is slow at it: its default GEMM library reaches less than half of oneDNN's speed in float32 on AMD
  # processors, and reads a bfloat16 matrix at half speed when x is a single row. oneDNN is in libtorch too, behind two doors:
  # mkldnn._linear_pointwise, which has no gradient, and a convolution of size 1 over channels-last memory, which has one.
  # Beside these methods stand one_dnn(dtype) and one_dnn_silu(dtype): whether oneDNN computes products of that type here, and those before SiLU.

  def linear(self: __torch__.K, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
    # x: [.., in], w: [out, in], b: [out] -> [.., out]
    dtype = ops.prim.dtype(x)
    if ops.prim.is_cuda(x) or not (self).one_dnn(dtype):
      return torch.linear(x, w, b)
    graph = ops.prim.requires_grad(x) or ops.prim.requires_grad(w)
    rows = torch.floordiv(torch.numel(x), torch.size(x, -1))
    if not graph and (dtype == FLOAT32 or rows <= 4):
      return (self).pointwise(x, w, b, "none")
    # libtorch hands a convolution to oneDNN above 20,480 input values; bfloat16 matrix products are at full speed as they are
    if dtype == BFLOAT16 or torch.numel(x) <= 20480:
      return torch.linear(x, w, b)
    return (self).convolved(x, w, b, rows)

  def linear_silu(self: __torch__.K, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
    # silu(x w^T + b) without a graph: oneDNN applies it to its float32 sums, where a second pass takes half as long as the product;
    # but on processors with AMX, oneDNN has a faster product without it
    if ops.prim.is_cuda(x) or not (self).one_dnn_silu(ops.prim.dtype(x)):
      return torch.silu_(torch.linear(x, w, b))
    return (self).pointwise(x, w, b, "swish")

  def pointwise(self: __torch__.K, x: Tensor, w: Tensor, b: Optional[Tensor], then: str) -> Tensor:
    none : List[Optional[number]] = []
    return ops.mkldnn._linear_pointwise(x, w, b, then, none, "")

  def convolved(self: __torch__.K, x: Tensor, w: Tensor, b: Optional[Tensor], rows: int) -> Tensor:
    n, k = torch.size(w, 0), torch.size(w, 1)
    image = torch.permute(torch.reshape(x, [1, rows, 1, k]), [0, 3, 1, 2])
    filter = torch.permute(torch.reshape(w, [n, 1, 1, k]), [0, 3, 1, 2])
    y = torch.permute(torch.conv2d(image, filter, b, [1, 1], [0, 0], [1, 1], 1), [0, 2, 3, 1])
    shape = torch.size(x)
    shape[-1] = n
    return torch.reshape(y, shape)
