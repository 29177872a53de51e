  # The training of one slice of a tensor: the others keep their values, bit by bit.

  def zero_others(self: __torch__.K, gradient: Tensor, slice: int) -> None:
    # gradient: [models, ..]; that of one model's slice is all that stays
    torch.zero_(torch.narrow(gradient, 0, 0, slice))
    torch.zero_(torch.narrow(gradient, 0, slice + 1, torch.size(gradient, 0) - slice - 1))

  def restore_others(self: __torch__.K, target: Tensor, saved: Tensor, slice: int) -> None:
    # target, saved: [models, ..]; all slices but one go back to what they were
    behind = torch.size(target, 0) - slice - 1
    torch.copy_(torch.narrow(target, 0, 0, slice), torch.narrow(saved, 0, 0, slice))
    torch.copy_(torch.narrow(target, 0, slice + 1, behind), torch.narrow(saved, 0, slice + 1, behind))
