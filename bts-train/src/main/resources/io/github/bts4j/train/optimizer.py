  # AdamW in torch.optim's arithmetic (libtorch's own fused kernel) and clipping by the global norm, in place.

  def global_norm(self: __torch__.K, grads: List[Tensor]) -> float:
    # the 2-norm of all gradients together, as torch.nn.utils.clip_grad_norm_ computes it
    return float(torch.item(torch.linalg_vector_norm(torch.stack(torch._foreach_norm(grads, 2)), 2)))

  def scale(self: __torch__.K, grads: List[Tensor], factor: float) -> None:
    torch._foreach_mul_(grads, factor)

  def zero(self: __torch__.K, grads: List[Tensor]) -> None:
    torch._foreach_zero_(grads)

  def adamw(self: __torch__.K, params: List[Tensor], grads: List[Tensor], exp_avgs: List[Tensor], exp_avg_sqs: List[Tensor], steps: List[Tensor], lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> None:
    # steps: one float32 scalar per parameter; they count this step first
    torch._foreach_add_(steps, 1)
    torch._fused_adamw_(params, grads, exp_avgs, exp_avg_sqs, [], steps, lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay, eps=eps, amsgrad=False, maximize=False)
