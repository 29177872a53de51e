"""Event files between bts4j's TensorBoardWriter and Python's tensorboard package (2.21).

    python src-test-data/tools/tensorboard_golden.py write OUT   the golden file of TensorBoardWriterTest
    python src-test-data/tools/tensorboard_golden.py read FOLDER print what TensorBoard itself reads in a folder

The golden file is
bts-train/src/test/resources/io/github/bts4j/train/metrics/golden.tfevents. Its events are serialised by
tensorboard's own protocol buffers and framed by its own RecordWriter.
"""
import sys

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
from tensorboard.summary.writer.record_writer import RecordWriter

WALL_TIME = 1700000000.25


def scalars(step, **values):
    summary = Summary(value=[Summary.Value(tag=tag.replace("__", "/"), simple_value=v) for tag, v in values.items()])
    return Event(wall_time=WALL_TIME, step=step, summary=summary)


def golden():
    yield Event(wall_time=WALL_TIME, file_version="brain.Event:2")
    yield Event(wall_time=WALL_TIME, step=301, session_log=SessionLog(status=SessionLog.START))
    yield scalars(301, train__loss=2.5, train__loss__code=2.25, train__loss__math=2.75, train__grad_norm=0.0,
                  train__learning_rate=5e-6, train__tokens_seen=123456789, train__tokens_per_second=3210.5,
                  train__gate=-0.125)
    yield scalars(302, eval__loss=float("nan"), eval__loss__code=float("inf"), eval__bits_per_byte__code=1.5,
                  eval__gap=1e-40)
    yield scalars(2**40, a__tag__ä=-1.0)
    histogram = HistogramProto(min=0, max=30, num=4, sum=36, sum_squares=926)
    histogram.bucket_limit.extend(float(i + 1) for i in range(30))
    histogram.bucket.extend({0: 2.0, 4: 1.0, 29: 1.0}.get(i, 0.0) for i in range(30))
    yield Event(wall_time=WALL_TIME, step=303,
                summary=Summary(value=[Summary.Value(tag="gates", histo=histogram)]))


def write(path):
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        for event in golden():
            writer.write(event.SerializeToString(deterministic=True))


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    accumulator = EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0})
    accumulator.Reload()
    for tag in sorted(accumulator.Tags()["scalars"]):
        print(tag, [(e.step, e.value) for e in accumulator.Scalars(tag)])
    for tag in sorted(accumulator.Tags()["histograms"]):
        print(tag, [(e.step, e.histogram_value) for e in accumulator.Histograms(tag)])


{"write": write, "read": read}[sys.argv[1]](sys.argv[2])
