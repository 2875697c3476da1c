//! What two threads of a model against its copies show, by the quantity of a block that is compared
//! and by where the threads run: the kernel moves them among two CPUs, or each has one.
//!
//! The rule of the choice, of which the quantity in use is the median, its threads moved by the
//! kernel: another quantity or place takes over if
//!
//! 1. it leaves 1 out in at most 5% of comparisons of a model with its copies, as far as the 95%
//!    interval of that share can tell, with every model, on an idle machine and on a busy one,
//! 2. its half-width, median of the comparisons, is at most half of that in use in the geometric
//!    mean over the models whose threads meet the other process (`digits` and `conv`), on the busy
//!    machine, and
//! 3. on the idle machine it is no wider than 1.1 times that in use, in the geometric mean.
//!
//! A place changes no definition; a quantity does, and would have to be named wherever its ratio is
//! told, so that of two that keep the rule the place alone is taken. Both places take turns, run by
//! run.

use onnxprof::plan::CellKey;
use onnxprof::record::{BlockRecord, Pairs, Phase, RunRecord};
use onnxprof::runtime;
use onnxprof::stats::PairedRatio;

use crate::options::{Machine, Options};
use crate::real::{COPIES, MODELS, Real, command, on, with_copies};
use crate::support::{BenchError, Rows, Targets, median};
use crate::tally::Share;

const THREADS: usize = 2;
/// Seconds for each pair, where none are asked for.
const SECONDS: usize = 4;
/// What `--pin` is given.
const PLACES: [(&str, &str); 2] = [("moved", "auto"), ("one CPU each", "each")];

type Quantity = fn(&BlockRecord) -> f64;

const QUANTITIES: [(&str, Quantity); 4] = [
    ("median", |block| block.median_ns.as_f64()),
    ("p10", |block| block.p10_ns.as_f64()),
    ("mean", |block| block.mean_ns.as_f64()),
    ("CPU time", |block| {
        block.cpu_time_ns.as_f64() / block.inferences_count as f64
    }),
];

#[derive(Default)]
struct Fared {
    leaves_one_out: Share,
    half_widths: Vec<f64>,
}

type ByPlace = [[Fared; QUANTITIES.len()]; PLACES.len()];

/// How wide intervals are, and how often they leave 1 out.
pub fn compare(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    runtime::resolve(
        None,
        &runtime::Opener::new(env!("CARGO_BIN_EXE_onnxprof")),
        &mut |line| eprintln!("{line}"),
    )?;
    let mut rows = Rows::new(&[
        "model",
        "machine",
        "threads",
        "quantity",
        "n",
        "interval leaves 1 out",
        "half-width, median",
    ]);
    let machines = options
        .machine
        .map_or(vec![Machine::Idle, Machine::Busy], |machine| vec![machine]);
    for model in MODELS {
        for &machine in &machines {
            let fared = on(machine, || by_place(model, options))?;
            for ((place, _), by_quantity) in PLACES.iter().zip(&fared) {
                for ((quantity, _), fared) in QUANTITIES.iter().zip(by_quantity) {
                    let width = format!("{:.2}%", 100.0 * median(&fared.half_widths)?);
                    rows.push(&[
                        &model,
                        &format_args!("{machine:?}"),
                        place,
                        quantity,
                        &fared.leaves_one_out.n(),
                        &fared.leaves_one_out,
                        &width,
                    ]);
                    targets.check(
                        &format!(
                            "{model}, {machine:?}, {place}, {quantity}: 1 left out in at most 5%: {}",
                            fared.leaves_one_out
                        ),
                        fared.leaves_one_out.may_be(0.0..=0.05),
                    );
                }
            }
        }
    }
    rows.print(&command(options, "real-placement"));
    Ok(())
}

fn by_place(model: &str, options: &Options) -> Result<ByPlace, BenchError> {
    let folder = with_copies(model)?;
    let mut fared = ByPlace::default();
    for run in 0..options.comparisons.div_ceil(COPIES) as u64 {
        for ((_, pin), fared) in PLACES.into_iter().zip(&mut fared) {
            let real = Real {
                folder: folder.path(),
                threads: THREADS,
                seconds: options.seconds.unwrap_or(SECONDS) * COPIES,
                seed: options.seed + run,
                pin,
            };
            note(&real.record()?, fared);
        }
    }
    Ok(fared)
}

/// Comparisons that have an interval.
fn note(record: &RunRecord, fared: &mut [Fared]) {
    let cells: Vec<CellKey> = record.cells.iter().map(|cell| cell.key).collect();
    let Some(baseline) = record.plan.baseline_session() else {
        return;
    };
    for key in cells.into_iter().filter(|key| key.session != baseline) {
        let session = baseline;
        let (own, other) = (
            blocks(record, key),
            blocks(record, CellKey { session, ..key }),
        );
        let pairs = Pairs::new(&own, &other);
        for ((_, quantity), fared) in QUANTITIES.into_iter().zip(&mut *fared) {
            let found = PairedRatio::of(&pairs.log_ratios(quantity));
            if let Some(interval) = found.and_then(|found| found.interval()) {
                fared.leaves_one_out.count(!interval.contains(1.0));
                fared
                    .half_widths
                    .push((interval.high / interval.low).ln() / 2.0);
            }
        }
    }
}

fn blocks(record: &RunRecord, key: CellKey) -> Vec<&BlockRecord> {
    record
        .blocks
        .iter()
        .filter(|block| block.key == key && block.phase == Phase::Timed)
        .collect()
}
