//! Which axis is the batch: along it, two unlike samples together give each what it gives alone.

use super::rows;
use super::told::Told;
use super::trial::Bench;
use crate::inputs::{InputPlan, SamplePair, Search, Tensor};
use crate::memory;
use crate::plan::FloatRounding;
use crate::record::{AxisReason, BatchAxis, BatchProof};

/// Second samples that are tried until one can be told from the first.
const ATTEMPTS: u64 = 3;
/// How far samples of a dynamically quantized model may be off for the scale that they share.
const SHARED_SCALE: f64 = 0.1;

pub(super) struct Known<'k> {
    pub plan: &'k InputPlan,
    pub outputs: &'k [Tensor],
    pub random: &'k [String],
    pub quantization: Quantized,
    pub floats: FloatRounding,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantized {
    Dynamically,
    /// In no way, or by scales that are in the file.
    Otherwise,
}

#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    Proved,
    Unsure(String),
    OneAtATime(String),
    Refuted(String),
}

pub(super) struct Decided {
    pub axis: BatchAxis,
    pub remarks: Vec<String>,
}

/// Decides where samples lie by running the candidates of `search`, in their order.
pub(super) fn decide(bench: &mut Bench<'_>, search: &Search, known: &Known<'_>) -> Decided {
    let given = &known.plan.batch_axis;
    if given.proof == BatchProof::Given || given.reason == AxisReason::Given {
        return Decided {
            axis: BatchAxis {
                proof: BatchProof::Given,
                ..given.clone()
            },
            remarks: Vec::new(),
        };
    }
    let mut tally = Tally::default();
    for (place, candidate) in search.batch_candidates().into_iter().enumerate() {
        if tally.proved.len() < 2 && !tally.has_shown(&candidate) {
            let verdict = verdict(bench, search, known, &candidate);
            tally.count(candidate, place, verdict);
        }
    }
    // Where something that was given took the batch away, that is the reason, and not what came of
    // other axes.
    if search.taken().is_some() {
        tally.refuted = None;
    }
    tally.decided(known.plan)
}

#[derive(Default)]
struct Tally {
    proved: Vec<BatchAxis>,
    unsure: Option<BatchAxis>,
    refuted: Option<String>,
}

impl Tally {
    /// Whether a batch was shown that lies along all of the candidate's axes, and further ones.
    fn has_shown(&self, candidate: &BatchAxis) -> bool {
        self.proved.iter().any(|wider| holds(wider, candidate))
    }

    fn count(&mut self, candidate: BatchAxis, place: usize, verdict: Verdict) {
        // What nothing but a proof speaks for is no batch without one.
        let is_likely = candidate.reason != AxisReason::Proof;
        match verdict {
            Verdict::Proved => {
                let reason = if place == 0 {
                    candidate.reason
                } else {
                    AxisReason::Proof
                };
                self.proved.push(BatchAxis {
                    proof: BatchProof::Proved,
                    reason,
                    ..candidate
                });
            }
            Verdict::Unsure(reason) if is_likely => {
                let proof = BatchProof::NotProved {
                    reason: reason.into(),
                };
                self.unsure.get_or_insert(BatchAxis { proof, ..candidate });
            }
            Verdict::OneAtATime(reason) if is_likely => {
                let proof = BatchProof::NotProved {
                    reason: reason.into(),
                };
                self.unsure.get_or_insert(BatchAxis {
                    proof,
                    fixed_size: Some(1),
                    ..candidate
                });
            }
            Verdict::Unsure(reason) | Verdict::OneAtATime(reason) | Verdict::Refuted(reason) => {
                self.refuted
                    .get_or_insert(format!("along {} {reason}", in_words(&candidate)));
            }
        }
    }

    fn decided(self, plan: &InputPlan) -> Decided {
        let mut proved = self.proved.into_iter();
        if let Some(axis) = proved.next() {
            return Decided {
                remarks: proved
                    .next()
                    .map(|other| also_proved(&other, &axis))
                    .into_iter()
                    .collect(),
                axis,
            };
        }
        Decided {
            axis: self
                .unsure
                .or_else(|| {
                    Some(BatchAxis::none(BatchProof::NotProved {
                        reason: self.refuted?.into(),
                    }))
                })
                .unwrap_or_else(|| plan.batch_axis.clone()),
            remarks: Vec::new(),
        }
    }
}

/// Whether an axis lies along all axes of a narrower one.
fn holds(wider: &BatchAxis, narrower: &BatchAxis) -> bool {
    let mut axes = narrower.axes.iter();
    axes.all(|(input, axis)| wider.axes.get(input) == Some(axis))
}

fn also_proved(other: &BatchAxis, taken: &BatchAxis) -> String {
    format!(
        "samples along {} are computed each for itself as well; {} is taken for the batch",
        in_words(other),
        in_words(taken)
    )
}

/// The name of an axis: its symbol, or its place in the first input that has it.
pub(super) fn in_words(axis: &BatchAxis) -> String {
    match (&axis.symbol, axis.axes.first_key_value()) {
        (Some(symbol), _) => format!("`{}`", symbol.exact()),
        (None, Some((input, axis))) => format!("axis {axis} of `{}`", input.exact()),
        (None, None) => "no axis".to_owned(),
    }
}

fn verdict(
    bench: &mut Bench<'_>,
    search: &Search,
    known: &Known<'_>,
    candidate: &BatchAxis,
) -> Verdict {
    if let Some(size) = candidate.fixed_size {
        return Verdict::Unsure(format!("the model fixes its size at {size}"));
    }
    let plan = match search.with_batch(known.plan, Some(candidate)) {
        Ok(plan) => plan,
        Err(error) => return Verdict::Refuted(error.to_string()),
    };
    let ran = (plan.batch_axis.axes == known.plan.batch_axis.axes).then_some(known.outputs);
    let mut last = "there was no time to".to_owned();
    for attempt in 0..ATTEMPTS {
        match attempted(bench, known, &plan, attempt, ran) {
            Ok(verdict) => return verdict,
            Err(reason) => last = reason,
        }
    }
    Verdict::Unsure(last)
}

/// `ran` is what the first sample of the pair gave, if that is known. The error is why nothing is
/// shown.
fn attempted(
    bench: &mut Bench<'_>,
    known: &Known<'_>,
    plan: &InputPlan,
    attempt: u64,
    ran: Option<&[Tensor]>,
) -> Result<Verdict, String> {
    // Two samples together may take as long as one after the other.
    if !bench.has_time_for(if ran.is_some() { 3 } else { 4 }) {
        return Err(bench.no_time());
    }
    bench.room.check_pair(plan)?;
    let pair = SamplePair::of(plan, attempt).map_err(|error| error.to_string())?;
    let (first, second) = match each_alone(bench, &pair, ran) {
        Ok(alone) => alone,
        Err(words) => return refused("a single sample is refused", words, Verdict::Refuted),
    };
    let both = match bench.run(&pair.both) {
        Ok(both) => both,
        Err(words) => {
            return refused(
                "two samples at once are refused",
                words,
                Verdict::OneAtATime,
            );
        }
    };
    judged(
        rows::told(&first, &second, &both, known.floats)
            .into_iter()
            .filter(|(name, _)| !known.random.contains(name))
            .collect(),
        known.quantization,
    )
}

fn each_alone(
    bench: &mut Bench<'_>,
    pair: &SamplePair,
    ran: Option<&[Tensor]>,
) -> Result<(Vec<Tensor>, Vec<Tensor>), String> {
    let first = match ran {
        Some(outputs) => outputs.to_vec(),
        None => bench.run(&pair.first)?,
    };
    Ok((first, bench.run(&pair.second)?))
}

/// A refusal for want of memory shows nothing.
fn refused(what: &str, words: String, verdict: fn(String) -> Verdict) -> Result<Verdict, String> {
    if memory::is_short(&words) {
        return Err(words);
    }
    Ok(verdict(format!("{what}: {words}")))
}

/// The verdict where samples together have something else than alone, by so much.
fn of_mixed(output: &str, off: Option<f64>, quantization: Quantized) -> Verdict {
    let shares_scale = quantization == Quantized::Dynamically;
    match off {
        Some(off) if shares_scale && off <= SHARED_SCALE => Verdict::Unsure(format!(
            "its quantization depends on all of a batch, and `{output}` is off by {:.2}%",
            off * 100.0
        )),
        Some(off) if off.is_finite() => {
            let percent = off * 100.0;
            Verdict::Refuted(format!(
                "two samples together give `{output}` other values, {percent:.2}% off"
            ))
        }
        _ => Verdict::Refuted(format!("`{output}` has no part for each of two samples")),
    }
}

fn judged(told: Vec<(String, Told)>, quantization: Quantized) -> Result<Verdict, String> {
    if told.is_empty() {
        return Ok(Verdict::Unsure("its outputs are random".to_owned()));
    }
    if let Some((name, off)) = told.iter().find_map(|(name, told)| match told {
        Told::Mixed(off) => Some((name, *off)),
        _ => None,
    }) {
        return Ok(of_mixed(name, off, quantization));
    }
    if told.iter().any(|(_, told)| *told == Told::Apart) {
        return Ok(Verdict::Proved);
    }
    match told.iter().find(|(_, told)| *told == Told::Unsure) {
        Some((name, _)) => Err(format!("the size of `{name}` depends on the samples")),
        None => Err("unlike samples gave the same outputs".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(list: &[Told]) -> Vec<(String, Told)> {
        list.iter()
            .map(|told| ("y".to_owned(), told.clone()))
            .collect()
    }

    #[test]
    fn one_output_that_tells_samples_apart_proves_where_none_is_mixed() {
        let of = |list: &[Told]| judged(told(list), Quantized::Otherwise);
        assert_eq!(of(&[Told::Nothing, Told::Apart]), Ok(Verdict::Proved));
        assert!(matches!(
            of(&[Told::Apart, Told::Mixed(Some(0.5))]),
            Ok(Verdict::Refuted(_))
        ));
        assert!(of(&[Told::Nothing]).is_err());
        assert!(matches!(of(&[]), Ok(Verdict::Unsure(_))));
    }

    #[test]
    fn a_scale_that_sees_the_whole_batch_refutes_nothing() {
        assert_eq!(SHARED_SCALE, 0.1, "the guide says so");
        let of = |off, quantization| judged(told(&[Told::Mixed(Some(off))]), quantization);
        assert!(matches!(
            of(0.02, Quantized::Dynamically),
            Ok(Verdict::Unsure(_))
        ));
        for refuted in [
            of(0.02, Quantized::Otherwise),
            of(0.5, Quantized::Dynamically),
        ] {
            assert!(matches!(refuted, Ok(Verdict::Refuted(_))));
        }
    }
}
