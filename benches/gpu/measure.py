"""CPU against GPU on one machine, with what the driver tells held against a second source.

    python3 benches/gpu/measure.py --onnxprof target/release/onnxprof --runtime cuda@1.31.1 --models models/digits

Takes some eight minutes on an H100, prints tables, and with `--out DIR` keeps the runs and `gpu.json`. Needs numpy, onnx and
onnxconverter-common to make the larger networks; the comparison with CUDA events needs torch and a Python `onnxruntime` that
offers CUDA. What is missing is said in the tables. Exit status: 0, or 1 where a run failed.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

NETWORKS = "resnet50,densenet121,vgg19,bert-base"
# Batch sizes beside the CPU, where one inference of the larger ones takes seconds, of the GPU alone, and beside nvidia-smi.
BESIDE_CPU, ALONE, WATCHED = "1,8", "1,64", "64"
# Figures that both NVML, as `cells.csv` has them, and nvidia-smi tell, and what one is in the unit of the other. One session
# runs then, so that the highest that nvidia-smi tells is that of the session.
TOLD_TWICE = {
    "gpu_utilization_peak_ratio": ("utilization.gpu", 100.0, "highest GPU utilization (%)"),
    "gpu_memory_peak_bytes": ("memory.used", 2.0**-20, "memory (MiB)"),
    "gpu_power_watts": ("power.draw", 1.0, "power (W)"),
}
SMI_PERIOD_MS = 100
EVENT_RUNS, EVENT_WARMUP = 200, 20


def main():
    """Returns the exit status."""
    arguments = words()
    out = pathlib.Path(arguments.out or tempfile.mkdtemp(prefix="onnxprof-gpu-"))
    out.mkdir(parents=True, exist_ok=True)
    networks = ["digits", *filter(None, arguments.networks.split(","))]
    found = {"hardware": hardware(), "runtime": arguments.runtime, "networks": {}}
    for name in networks:
        paths = models(name, arguments.models, out / "models")
        beside = profile(arguments, paths, out / f"{name}-beside-cpu", f"cpu,{arguments.ep}", "host", BESIDE_CPU)
        alone = profile(arguments, paths, out / f"{name}-alone", arguments.ep, arguments.bind, ALONE)
        with Smi() as smi:
            watched = profile(arguments, paths[:1], out / f"{name}-watched", arguments.ep, arguments.bind.split(",")[-1], WATCHED)
        runs = {"beside": beside, "alone": alone, "watched": watched}
        found["networks"][name] = runs | {"smi": smi.levels, "cuda_events_ms": cuda_events(str(paths[0]))}
    (out / "gpu.json").write_text(json.dumps(found, indent=1))
    print(report(found))
    print(f"\nkept in {out}")
    runs = [network[run] for network in found["networks"].values() for run in ("beside", "alone", "watched")]
    failed = [run for run in runs if "error" in run]
    return 1 if failed else 0


def words():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--onnxprof", required=True, help="the built program")
    parser.add_argument("--runtime", required=True, help="ONNX Runtime's GPU build, as `profile --runtime` takes it")
    parser.add_argument("--models", required=True, help="folder with digits-fp32.onnx and digits-fp16.onnx")
    parser.add_argument("--networks", default=NETWORKS, help="larger networks, separated by commas")
    parser.add_argument("--ep", default="cuda")
    parser.add_argument("--bind", default="host,device")
    parser.add_argument("--rounds", type=int, default=2, help="launches of each session; an interval takes 6")
    parser.add_argument("--out")
    return parser.parse_args()


def models(name, digits, folder):
    """The model files of a network."""
    if name == "digits":
        return [pathlib.Path(digits) / f"digits-{precision}.onnx" for precision in ("fp32", "fp16")]
    # The packages that this needs may be missing where digits alone are measured.
    from models import write

    return write(name, folder)


def profile(arguments, paths, run, eps, binds, batches):
    """Runs onnxprof; the figures of `cells.csv`, or how it failed."""
    command = [arguments.onnxprof, "profile", *map(str, paths), "--runtime", arguments.runtime, "--ep", eps, "--bind", binds]
    command += ["--batch", batches, "--rounds", str(arguments.rounds), "--alternations", "3"]
    command += ["--quiet", "--no-color", "--out", str(run)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # 4: some cells failed, such as one that does not fit into the GPU's memory; they are in the table.
    if done.returncode not in (0, 4):
        return {"error": f"exit status {done.returncode}: {done.stderr.strip()}"}
    with open(run / "cells.csv", newline="") as file:
        return {"rows": list(csv.DictReader(file)), "energy": energy(json.loads((run / "run.json").read_text()))}


def energy(record):
    """For each stretch of which both are known: joules by the chip's counter, and by the sampled power."""
    cells = [cell for launch in record["launches"] for cell in launch["cells"]]
    uses = [cell["gpu"]["Ok"] for cell in cells if "Ok" in (cell["gpu"] or {})]
    both = [(use["energy"].get("Ok"), (use["energy_by_power_joules"] or {}).get("Ok")) for use in uses]
    return [(counted["joules"], sampled) for counted, sampled in both if counted and counted["method"] == "counter" and sampled]


class Smi:
    """`nvidia-smi` beside a run; afterwards `levels` has the highest of each field, or why there are none."""

    def __enter__(self):
        fields = ",".join(field for field, _, _ in TOLD_TWICE.values())
        command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits", "-lms", str(SMI_PERIOD_MS)]
        try:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        except FileNotFoundError:
            self.process = None
            self.levels = "not measured: there is no nvidia-smi"
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            lines = [line.split(", ") for line in self.process.communicate()[0].splitlines()]
            columns = zip(*(line for line in lines if len(line) == len(TOLD_TWICE)))
            self.levels = {metric: highest(column) for metric, column in zip(TOLD_TWICE, columns)}


def highest(column):
    """The highest of the numbers; None without any."""
    return max((float(text) for text in column if text.replace(".", "", 1).isdigit()), default=None)


def cuda_events(model):
    """Median time of an inference at batch 1 by CUDA events, bound to the device, in milliseconds; or why there is none."""
    try:
        import onnxruntime
        import torch
    except ImportError as error:
        return f"not measured: {error}"
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return "not measured: the Python onnxruntime does not offer CUDA"
    stream = torch.cuda.Stream()
    options = {"user_compute_stream": str(stream.cuda_stream)}
    session = onnxruntime.InferenceSession(model, providers=[("CUDAExecutionProvider", options)])
    binding = session.io_binding()
    kinds = {"tensor(float)": ("float32", torch.float32), "tensor(int64)": ("int64", torch.int64)}
    held = []
    for value in session.get_inputs():
        name, kind = kinds[value.type]
        held.append(torch.zeros([1 if isinstance(size, str) else size for size in value.shape], dtype=kind, device="cuda"))
        binding.bind_input(value.name, "cuda", 0, name, list(held[-1].shape), held[-1].data_ptr())
    for value in session.get_outputs():
        binding.bind_output(value.name, "cuda")
    times = []
    with torch.cuda.stream(stream):
        for _ in range(EVENT_WARMUP + EVENT_RUNS):
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            session.run_with_iobinding(binding)
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end))
    return statistics.median(times[EVENT_WARMUP:])


def hardware():
    command = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        return f"no GPU is known: {error}"


def report(found):
    lines = [f"{found['hardware']}; ONNX Runtime {found['runtime']}", ""]
    lines += ["| network | variant | EP | bound to | batch | median latency | 95% | throughput | n |", "|---" * 9 + "|"]
    for name, network in found["networks"].items():
        for run in (network["beside"], network["alone"]):
            lines += [run["error"]] if "error" in run else latencies(name, run["rows"])
    lines += ["", f"| network, one session at batch {WATCHED} | figure | onnxprof (NVML) | nvidia-smi |", "|---|---|---|---|"]
    for name, network in found["networks"].items():
        lines += told_twice(name, network)
    lines += ["", "| network | energy by the counter over that by sampled power, median | lowest | highest | n stretches |", "|---" * 5 + "|"]
    for name, network in found["networks"].items():
        lines.append(energies(name, network["alone"].get("energy", [])))
    lines += ["", "| network | device-bound median, batch 1, first variant (ms) | CUDA events, ONNX Runtime in Python (ms) |", "|---|---|---|"]
    for name, network in found["networks"].items():
        lines.append(f"| {name} | {device_bound(network['alone'])} | {network['cuda_events_ms']} |")
    return "\n".join(lines)


def latencies(network, rows):
    """One line for each cell: its median latency and throughput."""
    throughput = {cell(row): row["value"] for row in rows if row["metric"] == "throughput_per_sec"}
    lines = []
    for row in rows:
        if row["metric"] == "latency_p50_ns":
            variant, ep, binding, batch = cell(row)
            value = f"{float(row['value']) / 1e6:.3f} ms" if row["value"] else f"not measured: {row['reason']}"
            ends = f"{float(row['low']) / 1e6:.3f} to {float(row['high']) / 1e6:.3f}" if row["low"] else ""
            rate = f"{float(throughput[cell(row)]):,.0f}/s" if throughput.get(cell(row)) else ""
            lines.append(f"| {network} | {variant} | {ep} | {binding} | {batch} | {value} | {ends} | {rate} | {row['n']} |")
    return lines


def cell(row):
    return row["variant"], row["execution_provider"], row["binding"], row["batch_size"]


def told_twice(network, found):
    """One line for each figure that two sources tell."""
    lines = []
    for metric, (_, factor, label) in TOLD_TWICE.items():
        values = [float(row["value"]) * factor for row in found["watched"].get("rows", []) if row["metric"] == metric and row["value"]]
        own = f"{max(values):.1f}" if values else "not measured"
        smi = found["smi"] if isinstance(found["smi"], str) else found["smi"].get(metric)
        lines.append(f"| {network} | {label} | {own} | {smi} |")
    return lines


def energies(network, stretches):
    """One line: how the energy of stretches by the counter compares with that by the sampled power."""
    ratios = sorted(counted / sampled for counted, sampled in stretches)
    if not ratios:
        return f"| {network} | not measured: no stretch has both | | | 0 |"
    return f"| {network} | {statistics.median(ratios):.3f} | {ratios[0]:.3f} | {ratios[-1]:.3f} | {len(ratios)} |"


def device_bound(run):
    rows = [row for row in run.get("rows", []) if row["metric"] == "latency_p50_ns" and row["binding"] == "device"]
    first = next((row for row in rows if row["batch_size"] == "1" and row["value"]), None)
    return f"{float(first['value']) / 1e6:.3f}" if first else "not measured"


if __name__ == "__main__":
    sys.exit(main())
