  # Everything that DJL's NDArray cannot do with bfloat16 or with files above 2 GiB.

  def map_file(self: __torch__.K, path: str, size: int) -> Tensor:
    # the first size bytes of a file, mapped privately: pages are read when they are touched, and shared between models
    return torch.from_file(path, False, size, dtype=UINT8, layout=0, device=torch.device("cpu"), pin_memory=False)

  def view_bytes(self: __torch__.K, bytes: Tensor, dtype: int, offset: int, shape: List[int]) -> Tensor:
    # a view of mapped bytes; offset in elements of dtype
    return torch.set_(torch.empty([0], dtype=dtype, layout=0, device=torch.device("cpu")), bytes, offset, shape, (self).strides(shape))

  def strides(self: __torch__.K, shape: List[int]) -> List[int]:
    n = len(shape)
    out = torch.mul([1], n)
    i = n - 2
    while i >= 0:
      out[i] = out[i + 1] * shape[i + 1]
      i = i - 1
    return out

  def zeros(self: __torch__.K, shape: List[int], dtype: int, device: str) -> Tensor:
    return torch.zeros(shape, dtype=dtype, layout=0, device=torch.device(device))

  def place(self: __torch__.K, x: Tensor, dtype: int, device: str) -> Tensor:
    return torch.to(x, torch.device(device), dtype)

  def copy(self: __torch__.K, x: Tensor, dtype: int) -> Tensor:
    return torch.to(torch.clone(x), dtype)

  def dtype(self: __torch__.K, x: Tensor) -> int:
    return ops.prim.dtype(x)

  def requires_grad(self: __torch__.K, x: Tensor) -> bool:
    return ops.prim.requires_grad(x)

  def bytes(self: __torch__.K, x: Tensor) -> Tensor:
    # the elements as bytes on the CPU, [numel * element size]
    c = torch.contiguous(torch.to(torch.detach(x), torch.device("cpu"), ops.prim.dtype(x)))
    size = torch.element_size(c)
    # set_ itself adds the source's storage offset, which counts elements and not bytes
    offset = torch.storage_offset(c) * (size - 1)
    return torch.set_(torch.empty([0], dtype=UINT8, layout=0, device=torch.device("cpu")), c, offset, [torch.numel(c) * size], [1])

  def slice_bytes(self: __torch__.K, flat: Tensor, start: int, end: int) -> Tensor:
    return torch.clone(torch.narrow(flat, 0, start, end - start))

  def write(self: __torch__.K, target: Tensor, value: Tensor) -> None:
    torch.copy_(target, value)

  def write_at(self: __torch__.K, target: Tensor, at: int, values: Tensor, count: int) -> None:
    # the first count values, of any type, into the elements of a contiguous target from number at
    torch.copy_(torch.narrow(torch.view(target, [-1]), 0, at, count), torch.narrow(values, 0, 0, count))

  def halves_from_pairs(self: __torch__.K, x: Tensor, heads: int) -> Tensor:
    # rows [head, pair, 2] -> [head, 2, pair]
    rows = torch.reshape(x, [heads, torch.floordiv(torch.size(x, 0), heads * 2), 2, -1])
    return torch.reshape(torch.contiguous(torch.transpose(rows, 1, 2)), torch.size(x))
