import os
import subprocess
import sys

# PySide6 6.12.0 on Python 3.11 gives back a reference to None that it never took, at every call of a QPainter: some 190
# repaints later the interpreter aborts. A window that is only opened does not show it, so the references are counted.
COUNT = """
import os, sys
import numpy, pyqtgraph
from PySide6 import QtCore, QtGui

application = pyqtgraph.mkQApp()
plot = pyqtgraph.PlotWidget()
curve = plot.plot(numpy.arange(100.0))
plot.grab()
before = sys.getrefcount(None)
for repaint in range(50):
    curve.setData(numpy.arange(100.0) * (1 + repaint))
    plot.grab()
    application.processEvents()
repaints = sys.getrefcount(None) - before
image = QtGui.QImage(10, 10, QtGui.QImage.Format.Format_RGB32)
painter, pen = QtGui.QPainter(image), QtGui.QPen()
before = sys.getrefcount(None)
for _ in range(1000):
    painter.setPen(pen)
    painter.drawLine(QtCore.QPointF(0, 0), QtCore.QPointF(1, 1))
    painter.translate(0.5, 0)
    painter.setFont(QtGui.QFont())
calls = sys.getrefcount(None) - before
painter.end()
print(repaints, calls, flush=True)
os._exit(0)  # a normal exit of a leaking interpreter aborts
"""


def test_the_qt_binding_does_not_lose_references_to_none() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", COUNT],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    repaints, calls = (int(number) for number in finished.stdout.split()[-2:])
    assert repaints > -500  # a leaking binding loses about 9000
    assert calls > -1000  # a leaking binding loses 4000
