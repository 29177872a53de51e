"""A TensorBoard event file written by torch.utils.tensorboard: scalars train/loss = 2.5, 2.25, 2.0 at steps 1, 2, 3.
Needs torch, tensorboard. Usage: python3 tensorboard_golden.py OUT_FILE"""
import glob, shutil, sys, tempfile
from torch.utils.tensorboard import SummaryWriter
folder = tempfile.mkdtemp()
with SummaryWriter(folder) as w:
    for step, loss in ((1, 2.5), (2, 2.25), (3, 2.0)): w.add_scalar("train/loss", loss, step)
shutil.copy(glob.glob(folder + "/*")[0], sys.argv[1])
