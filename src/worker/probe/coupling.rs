//! Whether samples of a batch change each other's outputs: two unlike samples together, held
//! against each alone.

use super::room::Room;
use super::rows;
use super::told::Told;
use super::trial::Bench;
use crate::engine::Session;
use crate::inputs::SamplePair;
use crate::protocol::CouplingRequest;
use crate::record::Coupling;
use crate::units::Ratio;

/// Pairs of samples that are tried as far as there is time: how far outputs are off depends on the
/// samples.
const PAIRS: u64 = 3;
/// Inferences of a pair: each sample alone, and both together, which may take as long as one after
/// the other.
const INFERENCES: u64 = 4;

pub(in crate::worker) fn coupling(
    session: &mut dyn Session,
    request: &CouplingRequest,
) -> Coupling {
    let room = Room::of_bytes(request.memory_bytes);
    let mut bench = Bench::new(session, &room, request.limit_ns);
    bench.inference = request.inference_ns;
    let mut found: Option<Coupling> = None;
    for attempt in 0..PAIRS {
        if !bench.has_time_for(INFERENCES) {
            break;
        }
        let one =
            of_pair(&mut bench, request, attempt).unwrap_or_else(|reason| Coupling::Unknown {
                reason: reason.into(),
            });
        found = Some(found.map_or(one.clone(), |known| graver(known, one)));
    }
    found.unwrap_or_else(|| Coupling::Unknown {
        reason: bench.no_time().into(),
    })
}

fn of_pair(
    bench: &mut Bench<'_>,
    request: &CouplingRequest,
    attempt: u64,
) -> Result<Coupling, String> {
    bench.room.check_pair(&request.inputs)?;
    let pair = SamplePair::of(&request.inputs, attempt).map_err(|error| error.to_string())?;
    let first = bench.run(&pair.first)?;
    let second = bench.run(&pair.second)?;
    let both = bench.run(&pair.both)?;
    judged(
        rows::told(&first, &second, &both, request.float_rounding)
            .into_iter()
            .filter(|(name, _)| !request.random_outputs.contains(name))
            .collect(),
    )
}

fn judged(told: Vec<(String, Told)>) -> Result<Coupling, String> {
    let is_apart = told.iter().any(|(_, told)| *told == Told::Apart);
    match told
        .into_iter()
        .filter_map(|(output, told)| Some((output, off_by(&told)?)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
    {
        Some((output, off)) => Ok(Coupling::Coupled {
            output: output.into(),
            off_ratio: Ratio(off),
        }),
        None if is_apart => Ok(Coupling::Apart),
        None => Err("its outputs tell no samples of a batch from each other".to_owned()),
    }
}

fn off_by(told: &Told) -> Option<f64> {
    match told {
        Told::Mixed(Some(off)) if off.is_finite() => Some(*off),
        _ => None,
    }
}

fn gravity(found: &Coupling) -> f64 {
    match found {
        Coupling::Unknown { .. } => -1.0,
        Coupling::Apart => 0.0,
        Coupling::Coupled { off_ratio, .. } => off_ratio.0,
    }
}

fn graver(one: Coupling, other: Coupling) -> Coupling {
    if gravity(&other) > gravity(&one) {
        other
    } else {
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(list: &[Told]) -> Vec<(String, Told)> {
        (0..)
            .map(|place| format!("y{place}"))
            .zip(list.iter().cloned())
            .collect()
    }

    fn coupled(output: &str, off: f64) -> Coupling {
        Coupling::Coupled {
            output: output.into(),
            off_ratio: Ratio(off),
        }
    }

    #[test]
    fn the_output_that_is_off_the_most_is_named() {
        assert_eq!(
            judged(told(&[
                Told::Mixed(Some(0.01)),
                Told::Apart,
                Told::Mixed(Some(0.02)),
            ])),
            Ok(coupled("y2", 0.02))
        );
        assert_eq!(
            judged(told(&[Told::Nothing, Told::Apart])),
            Ok(Coupling::Apart)
        );
        assert!(judged(told(&[Told::Nothing, Told::Mixed(None)])).is_err());
    }

    #[test]
    fn of_several_pairs_the_one_counts_that_is_off_the_most() {
        let unknown = Coupling::Unknown {
            reason: "no time".into(),
        };
        assert_eq!(
            graver(coupled("y", 0.01), coupled("y", 0.02)),
            coupled("y", 0.02)
        );
        assert_eq!(graver(unknown.clone(), Coupling::Apart), Coupling::Apart);
        assert_eq!(graver(coupled("y", 0.01), unknown), coupled("y", 0.01));
    }
}
