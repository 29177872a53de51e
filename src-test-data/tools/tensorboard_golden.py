"""A TensorBoard event file written by torch.utils.tensorboard: scalars train/loss = 2.5, 2.25, 2.0 at steps 1, 2, 3,
and the histogram train/update of counts 1, 0, 3, 2 in four bins from -1 to 1 at step 3, with sums over the bins' middles.
Needs torch, tensorboard. Usage: python3 tensorboard_golden.py OUT_FILE"""
import glob, shutil, sys, tempfile
from torch.utils.tensorboard import SummaryWriter
folder = tempfile.mkdtemp()
with SummaryWriter(folder) as w:
    for step, loss in ((1, 2.5), (2, 2.25), (3, 2.0)): w.add_scalar("train/loss", loss, step)
    w.add_histogram_raw("train/update", min=-1, max=1, num=6, sum=1.5, sum_squares=1.875, bucket_limits=[-.5, 0, .5, 1], bucket_counts=[1, 0, 3, 2], global_step=3)
shutil.copy(glob.glob(folder + "/*")[0], sys.argv[1])
