  # Matrices in ggml's blocks, as GGUF files hold them: bytes [out, bytes of a row]. kind is ggml's number of the type. Scales d and minima m are float16;
  # the values are those of ggml's dequantize_row, with its float32 operations in its order.

  def retyped(self: __torch__.K, b: Tensor, at: int, dtype: int, count: int, size: int) -> Tensor:
    # numbers of so many bytes from a byte of every block on: [n, bytes] -> float32 [n, count]
    c = torch.contiguous(torch.clone(torch.narrow(b, 1, at, count * size)))
    numbers = torch.set_(torch.empty([0], dtype=dtype, layout=0, device=ops.prim.device(b)), c, 0, [torch.size(b, 0), count], [count, 1])
    return torch.to(numbers, FLOAT32)

  def half(self: __torch__.K, b: Tensor, at: int) -> Tensor:
    # the float16 at a byte of every block: float32 [n, 1]
    return (self).retyped(b, at, FLOAT16, 1, 2)

  def bits(self: __torch__.K, b: Tensor, shift: int, mask: int) -> Tensor:
    return torch.bitwise_and(torch.bitwise_right_shift(b, shift), mask)

  def planes(self: __torch__.K, b: Tensor, count: int, width: int, mask: int) -> Tensor:
    # the bits of bytes by their places, width at a time: [n, 1, bytes] -> [n, count, bytes]
    parts : List[Tensor] = []
    for i in range(count):
      parts = torch.append(parts, (self).bits(b, i * width, mask))
    return torch.cat(parts, 1)

  def nibbles(self: __torch__.K, b: Tensor, at: int) -> Tensor:
    # the low halves of 16 bytes, then the high ones: [n, 32]
    q = torch.narrow(b, 1, at, 16)
    return torch.cat([(self).bits(q, 0, 15), (self).bits(q, 4, 15)], 1)

  def fives(self: __torch__.K, b: Tensor, at: int) -> Tensor:
    # the same, with the fifth bits of the 32 values in four bytes before them
    high = torch.narrow(b, 1, at, 4)
    fifths = torch.reshape(torch.transpose((self).planes(torch.unsqueeze(high, 1), 8, 1, 1), 1, 2), [torch.size(b, 0), 32])
    return torch.bitwise_or((self).nibbles(b, at + 4), torch.bitwise_left_shift(fifths, 4))

  def small_block(self: __torch__.K, b: Tensor, kind: int) -> Tensor:
    # blocks of 32: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0
    d = (self).half(b, 0)
    if kind == 2:
      return torch.mul(d, torch.sub(torch.to((self).nibbles(b, 2), FLOAT32), 8))
    if kind == 3:
      return torch.add(torch.mul(d, torch.to((self).nibbles(b, 4), FLOAT32)), (self).half(b, 2))
    if kind == 6:
      return torch.mul(d, torch.sub(torch.to((self).fives(b, 2), FLOAT32), 16))
    if kind == 7:
      return torch.add(torch.mul(d, torch.to((self).fives(b, 4), FLOAT32)), (self).half(b, 2))
    return torch.mul(d, (self).retyped(b, 2, INT8, 32, 1))

  def grouped_block(self: __torch__.K, b: Tensor, kind: int) -> Tensor:
    # Q4_K, Q5_K: eight groups of 32, scale (d s) and minimum (dmin m) of 6 bits each, spread over 12 bytes
    n = torch.size(b, 0)
    s, m, c = torch.narrow(b, 1, 4, 4), torch.narrow(b, 1, 8, 4), torch.narrow(b, 1, 12, 4)
    scales = torch.cat([(self).bits(s, 0, 63), torch.bitwise_or((self).bits(c, 0, 15), torch.bitwise_left_shift((self).bits(s, 6, 3), 4))], 1)
    minima = torch.cat([(self).bits(m, 0, 63), torch.bitwise_or((self).bits(c, 4, 15), torch.bitwise_left_shift((self).bits(m, 6, 3), 4))], 1)
    scale = torch.mul((self).half(b, 0), torch.to(scales, FLOAT32))
    least = torch.mul((self).half(b, 2), torch.to(minima, FLOAT32))
    first = 16
    if kind == 13:
      first = 48
    q = torch.reshape(torch.narrow(b, 1, first, 128), [n, 4, 32])
    values = torch.reshape(torch.stack([(self).bits(q, 0, 15), (self).bits(q, 4, 15)], 2), [n, 8, 32])
    if kind == 13:
      values = torch.bitwise_or(values, torch.bitwise_left_shift((self).planes(torch.unsqueeze(torch.narrow(b, 1, 16, 32), 1), 8, 1, 1), 4))
    return torch.sub(torch.mul(torch.unsqueeze(scale, 2), torch.to(values, FLOAT32)), torch.unsqueeze(least, 2))

  def sixes_block(self: __torch__.K, b: Tensor) -> Tensor:
    # Q6_K: (d s) (q - 32), sixteen groups of 16; two halves of 64 bytes with low nibbles and 32 with high pairs of bits
    n = torch.size(b, 0)
    low = torch.reshape(torch.narrow(b, 1, 0, 128), [n, 2, 64])
    lows = torch.reshape(torch.stack([(self).bits(low, 0, 15), (self).bits(low, 4, 15)], 2), [n * 2, 4, 32])
    high = torch.reshape(torch.narrow(b, 1, 128, 64), [n * 2, 1, 32])
    q = torch.bitwise_or(lows, torch.bitwise_left_shift((self).planes(high, 4, 2, 3), 4))
    scale = torch.mul((self).half(b, 208), (self).retyped(b, 192, INT8, 16, 1))
    return torch.mul(torch.unsqueeze(scale, 2), torch.sub(torch.to(torch.reshape(q, [n, 16, 16]), FLOAT32), 32))

  def block_bytes(self: __torch__.K, kind: int) -> int:
    sizes = {2: 18, 3: 20, 6: 22, 7: 24, 8: 34, 12: 144, 13: 176, 14: 210}
    return sizes[kind]

  def block_rows(self: __torch__.K, q: Tensor, kind: int) -> Tensor:
    # bytes [rows, bytes of a row] -> float32 [rows, in]
    rows = torch.size(q, 0)
    b = torch.reshape(q, [-1, (self).block_bytes(kind)])
    if kind == 14:
      values = (self).sixes_block(b)
    elif kind == 12 or kind == 13:
      values = (self).grouped_block(b, kind)
    else:
      values = (self).small_block(b, kind)
    return torch.reshape(values, [rows, -1])

  def dequantize_blocks(self: __torch__.K, q: Tensor, kind: int, dtype: int) -> Tensor:
    # bytes [out, bytes of a row] -> [out, in]; some rows at a time, for the values in between are larger
    n, each = torch.size(q, 0), max(1, torch.floordiv(524288, torch.size(q, 1)))
    if n <= each:
      return torch.to((self).block_rows(q, kind), dtype)
    first = (self).block_rows(torch.narrow(q, 0, 0, each), kind)
    out = torch.empty([n, torch.size(first, 1)], dtype=dtype, layout=0, device=ops.prim.device(q))
    copied = torch.copy_(torch.narrow(out, 0, 0, each), first)
    at = each
    while at < n:
      m = min(each, n - at)
      copied = torch.copy_(torch.narrow(out, 0, at, m), (self).block_rows(torch.narrow(q, 0, at, m), kind))
      at = at + m
    return out
