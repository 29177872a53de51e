  # Matrices in ggml's blocks, as GGUF files hold them: bytes [out, bytes of a row]. kind is ggml's number of the type. Scales d and minima m are float16;
  # the values are those of ggml's dequantize_row, with its float32 operations in its order. As much as possible is computed with whole bytes, before they become float32.

  def retyped(self: __torch__.K, b: Tensor, at: int, dtype: int, count: int, size: int) -> Tensor:
    # numbers of so many bytes from a byte of every block on, a multiple of their size, in the same memory: [n, bytes], from the beginning of its memory -> [n, count]
    return torch.set_(torch.empty([0], dtype=dtype, layout=0, device=ops.prim.device(b)), b, torch.floordiv(at, size), [torch.size(b, 0), count], [torch.floordiv(torch.numel(b) * torch.element_size(b), torch.size(b, 0) * size), 1])

  def half(self: __torch__.K, b: Tensor, at: int) -> Tensor:
    # the float16 at a byte of every block: float32 [n, 1]
    return torch.to((self).retyped(b, at, FLOAT16, 1, 2), FLOAT32)

  def signed(self: __torch__.K, b: Tensor, at: int, count: int) -> Tensor:
    # int8 from a byte of every block on: [n, count]
    return (self).retyped(b, at, INT8, count, 1)

  def bits(self: __torch__.K, b: Tensor, shift: int, mask: int) -> Tensor:
    return torch.bitwise_and(torch.bitwise_right_shift(b, shift), mask)

  def nibbles(self: __torch__.K, b: Tensor, at: int) -> Tensor:
    # the low halves of 16 bytes, then the high ones: [n, 32]
    return torch.cat([torch.narrow(torch.bitwise_and(b, 15), 1, at, 16), torch.narrow(torch.bitwise_right_shift(b, 4), 1, at, 16)], 1)

  def fives(self: __torch__.K, b: Tensor, at: int) -> Tensor:
    # the same, with the fifth bits of the 32 values in four bytes before them: a byte is repeated in the eight bytes of an integer, and byte i keeps bit i
    high = torch.mul(torch.to(torch.narrow(b, 1, at, 4), INT64), 72340172838076673)
    fifths = torch.clamp_max((self).retyped(torch.bitwise_and(high, -9205322385119247871), 0, UINT8, 32, 1), 1)
    return torch.bitwise_or((self).nibbles(b, at + 4), torch.bitwise_left_shift(fifths, 4))

  def small_block(self: __torch__.K, b: Tensor, kind: int, into: Tensor) -> Tensor:
    # blocks of 32: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0
    if kind == 2:
      q = (self).signed(torch.sub((self).nibbles(b, 2), 8), 0, 32)
    elif kind == 3:
      q = (self).nibbles(b, 4)
    elif kind == 6:
      q = (self).signed(torch.sub((self).fives(b, 2), 16), 0, 32)
    elif kind == 7:
      q = (self).fives(b, 4)
    else:
      q = (self).signed(b, 2, 32)
    values = torch.mul_(torch.copy_(into, q), (self).half(b, 0))
    if kind == 3 or kind == 7:
      values = torch.add_(values, (self).half(b, 2))
    return values

  def grouped_block(self: __torch__.K, b: Tensor, kind: int, into: Tensor) -> Tensor:
    # Q4_K, Q5_K: eight groups of 32, scale (d s) and minimum (dmin m) of 6 bits each, spread over 12 bytes, which are masked as three words
    n = torch.size(b, 0)
    words = (self).retyped(b, 4, INT32, 3, 4)
    s, m, c = torch.narrow(words, 1, 0, 1), torch.narrow(words, 1, 1, 1), torch.narrow(words, 1, 2, 1)
    scales = [(self).bits(s, 0, 1061109567), torch.bitwise_or((self).bits(c, 0, 252645135), (self).bits(s, 2, 808464432))]
    minima = [(self).bits(m, 0, 1061109567), torch.bitwise_or((self).bits(c, 4, 252645135), (self).bits(m, 2, 808464432))]
    scale = torch.mul((self).half(b, 0), torch.to((self).retyped(torch.cat(scales, 1), 0, UINT8, 8, 1), FLOAT32))
    least = torch.mul((self).half(b, 2), torch.to((self).retyped(torch.cat(minima, 1), 0, UINT8, 8, 1), FLOAT32))
    first = 16
    if kind == 13:
      first = 48
    low = torch.reshape(torch.narrow(torch.bitwise_and(b, 15), 1, first, 128), [n, 4, 32])
    high = torch.reshape(torch.narrow(torch.bitwise_right_shift(b, 4), 1, first, 128), [n, 4, 32])
    q = torch.reshape(torch.stack([low, high], 2), [n, 8, 32])
    if kind == 13:
      # bit i of each of 32 bytes belongs to group i
      places = torch.bitwise_left_shift(torch.ones([8, 1], dtype=UINT8, layout=0, device=ops.prim.device(b)), torch.unsqueeze(torch.arange(8, dtype=UINT8, layout=0, device=ops.prim.device(b)), 1))
      fifths = torch.clamp_max(torch.bitwise_and(torch.unsqueeze(torch.narrow(b, 1, 16, 32), 1), places), 1)
      q = torch.bitwise_or(q, torch.bitwise_left_shift(fifths, 4))
    values = torch.copy_(torch.reshape(into, [n, 8, 32]), q)
    return torch.sub_(torch.mul_(values, torch.unsqueeze(scale, 2)), torch.unsqueeze(least, 2))

  def sixes_block(self: __torch__.K, b: Tensor, into: Tensor) -> Tensor:
    # Q6_K: (d s) (q - 32), sixteen groups of 16; two halves of 64 bytes with low nibbles and 32 with high pairs of bits
    n = torch.size(b, 0)
    low = torch.reshape(torch.narrow(torch.bitwise_and(b, 15), 1, 0, 128), [n, 2, 64])
    high = torch.reshape(torch.narrow(torch.bitwise_right_shift(b, 4), 1, 0, 128), [n, 2, 64])
    pairs = torch.reshape(torch.narrow(b, 1, 128, 64), [n, 2, 32])
    places = [torch.bitwise_left_shift(pairs, 4), torch.bitwise_left_shift(pairs, 2), pairs, torch.bitwise_right_shift(pairs, 2)]
    highest = torch.reshape(torch.bitwise_and(torch.stack(places, 2), 48), [n, 256])
    q = torch.bitwise_or(torch.reshape(torch.stack([low, high], 2), [n, 256]), highest)
    scale = torch.mul((self).half(b, 208), (self).signed(b, 192, 16))
    values = torch.reshape(torch.copy_(into, (self).signed(torch.sub(q, 32), 0, 256)), [n, 16, 16])
    return torch.mul_(values, torch.unsqueeze(scale, 2))

  def block_bytes(self: __torch__.K, kind: int) -> int:
    sizes = {2: 18, 3: 20, 6: 22, 7: 24, 8: 34, 12: 144, 13: 176, 14: 210}
    return sizes[kind]

  def block_values(self: __torch__.K, b: Tensor, kind: int, into: Tensor) -> Tensor:
    # blocks [n, bytes], from the beginning of their memory -> float32 in the memory of into: [n, values]
    if kind == 14:
      values = (self).sixes_block(b, into)
    elif kind == 12 or kind == 13:
      values = (self).grouped_block(b, kind, into)
    else:
      values = (self).small_block(b, kind, into)
    return into

  def dequantize_blocks(self: __torch__.K, q: Tensor, kind: int, dtype: int) -> Tensor:
    # bytes [out, bytes of a row] -> [out, in]; so many blocks at a time that the values in between stay in the cache
    b = torch.reshape(q, [-1, (self).block_bytes(kind)])
    width, each = 32, 8192
    if kind > 11:
      width, each = 256, 1024
    if ops.prim.is_cuda(q):
      each = each * 64
    n, at = torch.size(b, 0), 0
    out = torch.empty([n, width], dtype=dtype, layout=0, device=ops.prim.device(q))
    buffer = torch.empty([min(each, n), width], dtype=FLOAT32, layout=0, device=ops.prim.device(q))
    while at < n:
      m = min(each, n - at)
      copied = torch.copy_(torch.narrow(out, 0, at, m), (self).block_values(torch.clone(torch.narrow(b, 0, at, m)), kind, torch.narrow(buffer, 0, 0, m)))
      at = at + m
    return torch.reshape(out, [torch.size(q, 0), -1])
