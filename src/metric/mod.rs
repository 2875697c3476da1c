//! The closed list of figures that every layer speaks of.

mod unit;

pub use unit::{Direction, Unit};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Ratio;

/// Run, session or cell: there is one figure of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A session, over all of its launches.
    Session,
    /// A cell: a session at one shape and batch size, under one load.
    Cell,
    /// A session that is served in one way, while requests arrive by themselves.
    Load,
}

/// Source of a metric, and so which runs have figures of it. Reports list the figures of a session,
/// and those of a cell, in the order of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Each launch, while its session comes up.
    Loading,
    /// The files and launches of a session.
    Session,
    /// Outputs against labels or targets: what variants are compared by. Of a session at most one
    /// is known.
    LeadingScore,
    /// Outputs against labels or targets, besides.
    OtherScore,
    /// Outputs against those of a reference.
    Agreement,
    /// Timed inferences.
    Timing,
    /// The machine during timed blocks.
    Machine,
    /// Each launch of a cell, once.
    Launch,
    /// Timed blocks beside those of the baseline.
    ToBaseline,
    /// Energy counters of the processor, in runs that measure them.
    CpuEnergy,
    /// The driver of a GPU, in sessions that ran on one.
    Gpu,
    /// Requests that arrive by themselves at one rate.
    Requests,
    /// A session that is served in one way, over all rates that were measured.
    Load,
}

impl Group {
    /// Run, session or cell: there is one figure of each.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Group::Loading
            | Group::Session
            | Group::LeadingScore
            | Group::OtherScore
            | Group::Agreement => Level::Session,
            Group::Timing
            | Group::Machine
            | Group::Launch
            | Group::ToBaseline
            | Group::CpuEnergy
            | Group::Gpu => Level::Cell,
            Group::Requests | Group::Load => Level::Load,
        }
    }

    /// Its metrics, in the order of the table.
    pub fn metrics(self) -> impl Iterator<Item = Metric> + Clone {
        Metric::ALL
            .iter()
            .copied()
            .filter(move |metric| metric.group() == self)
    }
}

/// Makes [`Metric`] and everything that is known about each of its variants out of one table. The
/// documentation of a variant is its definition; a second name is the short one; `floor none`
/// stands for a metric without a noise floor.
macro_rules! metrics {
    ($(
        $(#[doc = $definition:literal])+
        $variant:ident = $key:literal, $label:literal $(or $short:literal)?,
            $group:ident, $unit:ident, $direction:ident, floor $floor:tt;
    )+) => {
        /// A figure that onnxprof reports. Its key names the unit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum Metric {
            $(
                $(#[doc = $definition])+
                #[serde(rename = $key)]
                $variant,
            )+
        }

        impl Metric {
            /// Every metric, in the order in which reports list them.
            pub const ALL: &[Metric] = &[$(Metric::$variant),+];

            /// Name in JSON and CSV; ends in the unit, except for ratios to the baseline and errors
            /// in the unit of the model's own output.
            #[must_use]
            pub fn key(self) -> &'static str {
                match self { $(Metric::$variant => $key),+ }
            }

            /// Name for people, without the unit.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Metric::$variant => $label),+ }
            }

            /// Name for the head of a narrow column.
            #[must_use]
            pub fn short_label(self) -> &'static str {
                match self { $(Metric::$variant => [$($short,)? $label][0]),+ }
            }

            /// Its source.
            #[must_use]
            pub const fn group(self) -> Group {
                match self { $(Metric::$variant => Group::$group),+ }
            }

            /// Unit of the value.
            #[must_use]
            pub fn unit(self) -> Unit {
                match self { $(Metric::$variant => Unit::$unit),+ }
            }

            /// Which way is better.
            #[must_use]
            pub fn direction(self) -> Direction {
                match self { $(Metric::$variant => Direction::$direction),+ }
            }

            /// Meaning of the figure, with all that it includes and leaves out.
            #[must_use]
            pub fn definition(self) -> &'static str {
                match self { $(Metric::$variant => concat!($($definition),+).trim_start()),+ }
            }

            /// Relative change below which a difference is not worth a verdict, however narrow its
            /// interval. Absent for figures that carry no noise (file size), that a paired test on
            /// the same samples decides (accuracy), or that are no figure of merit.
            ///
            /// A model measured against itself came out with a median off by 0.3% typically and
            /// 1.4% at worst, so medians and throughput have 2%. The further a figure lies in the
            /// tail, or the fewer of it a launch yields, the higher its floor.
            #[must_use]
            pub fn noise_floor(self) -> Option<Ratio> {
                match self { $(Metric::$variant => floor!($floor)),+ }
            }
        }
    };
}

macro_rules! floor {
    (none) => {
        None
    };
    ($ratio:literal) => {
        Some(Ratio($ratio))
    };
}

metrics! {
    /// Time to open the ONNX Runtime library and create its environment, in a fresh process.
    RuntimeStart = "runtime_start_ns", "runtime start", Loading, Ns, Lower, floor 0.1;
    /// Time from the call that creates the session to its return, in a fresh process: reading the
    /// model, optimizing its graph, preparing its weights.
    SessionLoad = "session_load_ns", "session load", Loading, Ns, Lower, floor 0.05;
    /// Time of the first inference after the session was created, at the first batch size that is
    /// measured.
    FirstRun = "first_run_ns", "first run", Loading, Ns, Lower, floor 0.1;
    /// Sum of runtime start, session load and first run of one launch: what a service waits for
    /// after a restart.
    TimeToFirstPrediction = "time_to_first_prediction_ns", "time to first prediction", Loading, Ns, Lower, floor 0.05;
    /// Time of a launch's first inference at this batch size, which may plan memory and select
    /// kernels anew.
    BatchFirstRun = "batch_first_run_ns", "first run at this batch size", Launch, Ns, Lower, floor 0.1;
    /// Arithmetic mean of all timed latencies; a latency runs from just before an inference is
    /// called to just after it returns, with inputs and outputs bound beforehand.
    LatencyMean = "latency_mean_ns", "mean latency", Timing, Ns, Lower, floor 0.03;
    /// Shortest timed latency.
    LatencyMin = "latency_min_ns", "shortest latency", Timing, Ns, Lower, floor 0.05;
    /// Longest timed latency.
    LatencyMax = "latency_max_ns", "longest latency", Timing, Ns, Lower, floor 0.5;
    /// Latency that 10% of a block's inferences do not exceed, which follows the machine's fast
    /// mode: median over the blocks of a launch.
    LatencyP10 = "latency_p10_ns", "p10 latency", Timing, Ns, Lower, floor 0.02;
    /// Median of all timed latencies.
    LatencyP50 = "latency_p50_ns", "median latency" or "median", Timing, Ns, Lower, floor 0.02;
    /// Latency that 90% of timed inferences do not exceed.
    LatencyP90 = "latency_p90_ns", "p90 latency" or "p90", Timing, Ns, Lower, floor 0.05;
    /// Latency that 95% of timed inferences do not exceed.
    LatencyP95 = "latency_p95_ns", "p95 latency" or "p95", Timing, Ns, Lower, floor 0.05;
    /// Latency that 99% of timed inferences do not exceed.
    LatencyP99 = "latency_p99_ns", "p99 latency" or "p99", Timing, Ns, Lower, floor 0.1;
    /// Latency that 99.9% of timed inferences do not exceed.
    LatencyP999 = "latency_p999_ns", "p99.9 latency" or "p99.9", Timing, Ns, Lower, floor 0.2;
    /// Completed predictions, which are inferences times the batch size, per elapsed second of
    /// timed blocks.
    Throughput = "throughput_per_sec", "throughput", Timing, PerSec, Higher, floor 0.02;
    /// Private memory of its process just after the session was created, less that just before.
    ModelMemory = "model_memory_bytes", "model memory", Loading, Bytes, Lower, floor 0.02;
    /// Most resident memory of the whole process while it measured the cell.
    PeakMemory = "peak_memory_bytes", "peak memory" or "memory", Launch, Bytes, Lower, floor 0.02;
    /// Peak memory of the cell, less the private memory of its process just before its session was
    /// created.
    PeakMemoryAboveLoad = "peak_memory_above_load_bytes", "peak memory above start", Launch, Bytes, Lower, floor 0.02;
    /// Most bytes that were ever in use in ONNX Runtime's arena of the session's device, up to the
    /// end of the cell.
    ArenaPeak = "arena_peak_bytes", "arena peak", Launch, Bytes, Lower, floor 0.02;
    /// Size of the model file and of the files that hold its external data.
    FileSize = "file_size_bytes", "file size", Session, Bytes, Lower, floor none;
    /// CPU time of the process in timed blocks, over their elapsed time times the CPUs that it may
    /// use.
    CpuUtilization = "cpu_utilization_ratio", "CPU utilization", Machine, Ratio, Neutral, floor none;
    /// Highest CPU utilization of a single timed block.
    CpuUtilizationPeak = "cpu_utilization_peak_ratio", "peak CPU utilization", Machine, Ratio, Neutral, floor none;
    /// Energy of the processor's packages, and of memory where the chip counts it, in timed blocks,
    /// over the predictions made; of the whole machine, idle power included.
    CpuEnergy = "cpu_energy_per_prediction_joules", "CPU energy per prediction", CpuEnergy, Joules, Lower, floor 0.05;
    /// CPU energy per prediction, less what the processor took over the same time before the first
    /// launch.
    CpuEnergyAboveIdle = "cpu_energy_above_idle_per_prediction_joules", "CPU energy per prediction above idle",
        CpuEnergy, Joules, Lower, floor 0.1;
    /// Share of the time in which a kernel ran on the GPU, as its driver tells, mean over the
    /// second half of an uninterrupted stretch of the cell.
    GpuUtilization = "gpu_utilization_ratio", "GPU utilization", Gpu, Ratio, Neutral, floor none;
    /// Highest GPU utilization of a single sample.
    GpuUtilizationPeak = "gpu_utilization_peak_ratio", "peak GPU utilization", Gpu, Ratio, Neutral, floor none;
    /// Most GPU memory in use for the session up to the end of the cell: of its process
    /// where the driver lists it, else what the device's level rose by while it ran, from
    /// the creation of the session on.
    GpuMemoryPeak = "gpu_memory_peak_bytes", "peak GPU memory", Gpu, Bytes, Lower, floor 0.02;
    /// Mean power of the GPU over the stretch.
    GpuPower = "gpu_power_watts", "GPU power", Gpu, Watts, Neutral, floor none;
    /// Energy of the GPU in the stretch over the predictions made in it, idle power included.
    GpuEnergy = "gpu_energy_per_prediction_joules", "GPU energy per prediction", Gpu, Joules, Lower, floor 0.05;
    /// GPU energy per prediction, less what the GPU took over the same time before the first
    /// launch.
    GpuEnergyAboveIdle = "gpu_energy_above_idle_per_prediction_joules", "GPU energy per prediction above idle",
        Gpu, Joules, Lower, floor 0.1;
    /// Share of labelled samples whose highest score is that of the true class.
    AccuracyTop1 = "accuracy_top1_ratio", "top-1 accuracy" or "top-1", LeadingScore, Ratio, Higher, floor none;
    /// Share of labelled samples whose true class is among the five highest scores.
    AccuracyTop5 = "accuracy_top5_ratio", "top-5 accuracy" or "top-5", OtherScore, Ratio, Higher, floor none;
    /// Mean over classes of the harmonic mean of precision and recall, every class counting alike.
    AccuracyMacroF1 = "accuracy_macro_f1_ratio", "macro F1", OtherScore, Ratio, Higher, floor none;
    /// Share of samples of which exactly the true classes are predicted, where a sample may have
    /// several.
    AccuracyExactMatch = "accuracy_exact_match_ratio", "exact match", LeadingScore, Ratio, Higher, floor none;
    /// Harmonic mean of precision and recall over all classes of all samples, where a sample may
    /// have several.
    AccuracyMicroF1 = "accuracy_micro_f1_ratio", "micro F1", OtherScore, Ratio, Higher, floor none;
    /// Share of labelled tokens whose highest score is that of the true class.
    TokenAccuracy = "token_accuracy_ratio", "token accuracy", LeadingScore, Ratio, Higher, floor none;
    /// Share of labelled pixels whose highest score is that of the true class.
    PixelAccuracy = "pixel_accuracy_ratio", "pixel accuracy", LeadingScore, Ratio, Higher, floor none;
    /// Mean over classes of the pixels that have a class and are predicted to, over those that have
    /// it or are predicted to.
    MeanIou = "mean_iou_ratio", "mean IoU", OtherScore, Ratio, Higher, floor none;
    /// Mean over samples of the absolute difference between prediction and target.
    MeanAbsoluteError = "mean_absolute_error", "mean absolute error" or "MAE",
        LeadingScore, OutputUnit, Lower, floor none;
    /// Square root of the mean over samples of the squared difference between prediction and
    /// target.
    RootMeanSquareError = "root_mean_square_error", "root mean square error" or "RMSE",
        OtherScore, OutputUnit, Lower, floor none;
    /// Share of samples whose largest output element stands at the same place as in the reference.
    Top1Agreement = "top1_agreement_ratio", "top-1 agreement", Agreement, Ratio, Higher, floor none;
    /// Mean over samples of the cosine of the angle between an output and the reference's.
    CosineSimilarity = "cosine_similarity_ratio", "cosine similarity", Agreement, Ratio, Higher, floor none;
    /// Largest absolute difference between an output element and the reference's.
    MaxAbsoluteError = "max_absolute_error", "largest absolute error", Agreement, OutputUnit, Lower, floor none;
    /// Root of the summed squared differences from the reference, over the root of the reference's
    /// summed squares.
    RelativeError = "relative_error_ratio", "relative error", Agreement, Ratio, Lower, floor none;
    /// Median latency over that of the baseline, from blocks that were measured back to back.
    LatencyP50RatioToBaseline = "latency_p50_ratio_to_baseline", "median latency to baseline",
        ToBaseline, Ratio, Lower, floor 0.02;
    /// 10th percentile of latency over that of the baseline, from blocks that were measured back to
    /// back: it compares the machine's fast mode.
    LatencyP10RatioToBaseline = "latency_p10_ratio_to_baseline", "p10 latency to baseline",
        ToBaseline, Ratio, Lower, floor 0.02;
    /// 99th percentile of all timed latencies over that of the baseline, of launches in the same
    /// rounds.
    LatencyP99RatioToBaseline = "latency_p99_ratio_to_baseline", "p99 latency to baseline",
        ToBaseline, Ratio, Lower, floor 0.1;
    /// Throughput over that of the baseline, from blocks that were measured back to back.
    ThroughputRatioToBaseline = "throughput_ratio_to_baseline", "throughput to baseline",
        ToBaseline, Ratio, Higher, floor 0.02;
    /// Timed blocks during which the machine took CPU time away or pages had to be read from
    /// storage.
    DisturbedBlocks = "disturbed_blocks_count", "disturbed blocks", Machine, Count, Neutral, floor none;
    /// Launches whose process crashed, hung, was killed or ran out of memory, whose session could
    /// not be created, or that failed where they had been measured before; those beside the rounds
    /// included.
    FailedLaunches = "failed_launches_count", "failed launches", Session, Count, Lower, floor none;
    /// Response time that half of the completed requests do not exceed, at one rate of requests that
    /// arrive by themselves; it runs from the scheduled arrival to the last output, waiting included.
    ResponseP50 = "response_p50_ns", "median response", Requests, Ns, Lower, floor 0.05;
    /// Response time that 90% of the completed requests do not exceed, at one rate.
    ResponseP90 = "response_p90_ns", "p90 response", Requests, Ns, Lower, floor 0.05;
    /// Response time that 95% of the completed requests do not exceed, at one rate.
    ResponseP95 = "response_p95_ns", "p95 response", Requests, Ns, Lower, floor 0.05;
    /// Response time that 99% of the completed requests do not exceed, at one rate.
    ResponseP99 = "response_p99_ns", "p99 response", Requests, Ns, Lower, floor 0.1;
    /// Response time that 99.9% of the completed requests do not exceed, at one rate.
    ResponseP999 = "response_p999_ns", "p99.9 response", Requests, Ns, Lower, floor 0.2;
    /// Share of the requests of one rate that were rejected, because the queue was full, or whose
    /// inference failed.
    ErrorRate = "error_rate_ratio", "error rate", Requests, Ratio, Lower, floor none;
    /// Requests of one rate that were answered within the SLO's bound on the response, per second,
    /// until the last of all was answered.
    Goodput = "goodput_per_sec", "goodput", Requests, PerSec, Higher, floor 0.02;
    /// Highest rate of requests, of those that arrive by themselves, at which the SLO of the run is
    /// kept and the queue does not grow.
    RateAtSlo = "rate_at_slo_per_sec", "rate at the SLO", Load, PerSec, Higher, floor 0.02;
    /// Time from the fall of the rate, after a ramp to beyond what is served, until responses are
    /// again what they were before it.
    RecoveryTime = "recovery_time_ns", "recovery time", Load, Ns, Lower, floor 0.1;
    /// Growth of the resident memory of the processes that serve, at the rate of a soak, for a day.
    MemoryGrowth = "memory_growth_bytes", "memory growth in a day", Load, Bytes, Lower, floor none;
}

impl Metric {
    /// The scores that outputs are compared by, one for each kind of labels; of a session at most
    /// one is known.
    pub const SCORES: [Metric; count(Group::LeadingScore)] = members(Group::LeadingScore);

    /// Run, session or cell: there is one figure of each.
    #[must_use]
    pub const fn level(self) -> Level {
        self.group().level()
    }

    /// Whether it depends on how fast the machine was.
    #[must_use]
    pub fn is_timing(self) -> bool {
        matches!(self.unit(), Unit::Ns | Unit::PerSec) || self.group() == Group::ToBaseline
    }

    /// Whether it is a percentile of the tail of all timed latencies, which is bounded rather than
    /// known.
    #[must_use]
    pub fn is_percentile(self) -> bool {
        [
            Metric::LatencyP90,
            Metric::LatencyP95,
            Metric::LatencyP99,
            Metric::LatencyP999,
        ]
        .contains(&self)
    }

    /// Key without the unit, as checks name it: `latency_p99`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.key()
            .strip_suffix(self.unit().key())
            .and_then(|stem| stem.strip_suffix('_'))
            .unwrap_or(self.key())
    }
}

const fn count(group: Group) -> usize {
    let mut at = 0;
    let mut count = 0;
    while at < Metric::ALL.len() {
        count += (Metric::ALL[at].group() as u8 == group as u8) as usize;
        at += 1;
    }
    count
}

/// The metrics of a group that has `N`.
const fn members<const N: usize>(group: Group) -> [Metric; N] {
    let mut members = [Metric::ALL[0]; N];
    let mut at = 0;
    let mut count = 0;
    while at < Metric::ALL.len() {
        if Metric::ALL[at].group() as u8 == group as u8 {
            members[count] = Metric::ALL[at];
            count += 1;
        }
        at += 1;
    }
    members
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_are_distinct_names_in_json_and_end_in_their_unit() {
        let keys: HashSet<_> = Metric::ALL.iter().map(|metric| metric.key()).collect();
        assert_eq!(keys.len(), Metric::ALL.len());
        for metric in Metric::ALL {
            let named = metric.key().ends_with(&format!("_{}", metric.unit().key()));
            let has_none =
                metric.key().ends_with("_to_baseline") || metric.unit() == Unit::OutputUnit;
            assert!(named || has_none, "{}", metric.key());
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.key());
            assert_eq!(
                serde_json::to_value(metric.unit()).unwrap(),
                metric.unit().key(),
                "{metric:?}"
            );
        }
    }

    #[test]
    fn definitions_are_one_sentence() {
        for metric in Metric::ALL {
            let definition = metric.definition();
            assert!(
                definition.ends_with('.') && !definition.contains("  "),
                "{definition}"
            );
            assert_eq!(definition.matches(". ").count(), 0, "{definition}");
        }
    }

    #[test]
    fn medians_are_called_from_two_percent_on() {
        assert_eq!(Metric::LatencyP50.noise_floor(), Some(Ratio(0.02)));
        assert_eq!(Metric::FileSize.noise_floor(), None);
    }
}
