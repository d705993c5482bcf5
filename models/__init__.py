"""From a genome to a deployable bundle: branched CNN, training, ONNX partitions."""

import os

# torch's threads spin while they wait for each other. On cores that others use too, that made an
# evaluation take 27 s instead of 6 (two threads, two shared cores). Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
