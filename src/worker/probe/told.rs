//! Whether outputs of two samples together are those of each alone.

use super::outputs::{Gap, MOST_ELEMENTS, computed_as, gap, is_same, rounding, tolerance};
use crate::inputs::TensorData;
use crate::plan::{ElementType, FloatRounding};

/// Share of the distance between two samples that an output may be off and still be one sample's
/// own.
const OWN_SHARE: f64 = 0.1;

/// The same where the output is off by more than rounding.
const CLOSE_SHARE: f64 = 0.01;

/// Share of whole numbers that may differ: places and classes of nearly equal scores change with
/// rounding.
const TIES_SHARE: f64 = 0.05;

#[derive(Clone, Copy)]
pub(super) struct Triple<'t> {
    pub first: &'t TensorData,
    pub second: &'t TensorData,
    pub both: &'t TensorData,
    pub floats: FloatRounding,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// Each sample has what it has alone, and the other sample has something else.
    Apart,
    /// Nothing: both samples have the same, or none anything.
    Nothing,
    /// Sizes depend on the samples, so that they cannot be parted.
    Unsure,
    /// Samples together have something else than alone; by how much, relative to the largest
    /// magnitude.
    Mixed(Option<f64>),
}

/// The parts of two samples in an output of both together.
pub(super) struct Parts {
    pub first: TensorData,
    pub second: TensorData,
}

/// The length of an axis for two samples together, beside that for each alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Growth {
    Stays,
    Adds,
    /// It is as long as that of the longer sample.
    Covers,
}

impl Growth {
    fn of(first: usize, second: usize, both: usize) -> Option<Growth> {
        Some(if first == second && first == both {
            Growth::Stays
        } else if first + second == both {
            Growth::Adds
        } else if first.max(second) == both {
            Growth::Covers
        } else {
            return None;
        })
    }

    /// That of each axis; `None` where sizes are of no such kind.
    fn of_axes(triple: Triple<'_>) -> Option<Vec<Growth>> {
        let first = triple.first.shape();
        let second = triple.second.shape();
        let both = triple.both.shape();
        if first.len() != both.len() || second.len() != both.len() {
            return None;
        }
        (0..both.len())
            .map(|axis| Growth::of(first[axis], second[axis], both[axis]))
            .collect()
    }
}

/// The evidence of an output whose samples lie one after the other along the axis that grows.
pub(super) fn told_of(triple: Triple<'_>) -> Told {
    let Some(growth) = Growth::of_axes(triple) else {
        return Told::Mixed(None);
    };
    if growth.iter().all(|growth| *growth == Growth::Stays) {
        return told_of_equal_sizes(triple);
    }
    if !growth.contains(&Growth::Adds) {
        return Told::Unsure;
    }
    let parts = Parts {
        first: first_part(triple, &growth),
        second: second_part(triple, &growth),
    };
    let told = own(triple.first, triple.second, &parts, triple.floats);
    // The end of a shorter sample may see what it is filled up with.
    if growth.contains(&Growth::Covers) && matches!(told, Told::Mixed(_)) {
        Told::Unsure
    } else {
        told
    }
}

fn told_of_equal_sizes(triple: Triple<'_>) -> Told {
    let Triple {
        first,
        second,
        both,
        floats,
    } = triple;
    if is_same(first, second, floats) && is_same(first, both, floats) {
        Told::Nothing
    } else {
        Told::Mixed(Some(
            relative_gap(first, both).max(relative_gap(second, both)),
        ))
    }
}

fn relative_gap(one: &TensorData, other: &TensorData) -> f64 {
    gap(one, other).map_or(f64::INFINITY, Gap::relative)
}

fn first_part(triple: Triple<'_>, growth: &[Growth]) -> TensorData {
    growth
        .iter()
        .enumerate()
        .fold(triple.both.clone(), |part, (axis, growth)| match growth {
            Growth::Stays => part,
            Growth::Adds | Growth::Covers => part.rows(axis, 0..triple.first.shape()[axis]),
        })
}

fn second_part(triple: Triple<'_>, growth: &[Growth]) -> TensorData {
    growth
        .iter()
        .enumerate()
        .fold(triple.both.clone(), |part, (axis, growth)| match growth {
            Growth::Stays => part,
            Growth::Adds => part.rows(axis, triple.first.shape()[axis]..triple.both.shape()[axis]),
            Growth::Covers => part.rows(axis, 0..triple.second.shape()[axis]),
        })
}

/// The evidence of two samples' parts beside the outputs of each alone.
pub(super) fn own(
    first: &TensorData,
    second: &TensorData,
    parts: &Parts,
    floats: FloatRounding,
) -> Told {
    let (Some(one), Some(two)) = (gap(first, &parts.first), gap(second, &parts.second)) else {
        return Told::Mixed(None);
    };
    let off = if one.relative() >= two.relative() {
        one
    } else {
        two
    };
    let element_type = computed_as(first.element_type(), floats);
    let across = gap(first, second).map_or(f64::INFINITY, |gap| gap.largest);
    if off.largest <= tolerance(element_type, off) {
        return if tells_apart(off, across, element_type) {
            Told::Apart
        } else {
            Told::Nothing
        };
    }
    let is_few = |alone, part| differing_share(alone, part) <= TIES_SHARE;
    let are_few = is_few(first, &parts.first) && is_few(second, &parts.second);
    if element_type.is_integer() && are_few {
        Told::Nothing
    } else {
        Told::Mixed(Some(off.relative()))
    }
}

/// Whether a part is off so little that it is not the other sample's, which is `across` from it.
fn tells_apart(off: Gap, across: f64, element_type: ElementType) -> bool {
    let is_close =
        off.largest <= CLOSE_SHARE * across || off.largest <= rounding(element_type, off);
    across > 0.0 && off.largest <= OWN_SHARE * across && is_close
}

fn differing_share(one: &TensorData, other: &TensorData) -> f64 {
    let one = one.first_f64(MOST_ELEMENTS);
    let other = other.first_f64(MOST_ELEMENTS);
    one.iter()
        .zip(&other)
        .filter(|(one, other)| one != other)
        .count() as f64
        / one.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::outputs::tests::{floats, output};
    use super::super::rows::told;
    use super::*;

    fn rounded(
        rounding: FloatRounding,
        first: TensorData,
        second: TensorData,
        both: TensorData,
    ) -> Told {
        told(&output(first), &output(second), &output(both), rounding)
            .remove(0)
            .1
    }

    fn of(first: TensorData, second: TensorData, both: TensorData) -> Told {
        rounded(FloatRounding::Full, first, second, both)
    }

    fn percent(share: f64) -> String {
        format!(
            "{}%",
            format!("{:.8}", share * 100.0)
                .trim_end_matches('0')
                .trim_end_matches('.')
        )
    }

    #[test]
    fn the_tolerances_are_those_that_the_guide_states() {
        let guide =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/README.md"))
                .unwrap();
        let guide = guide.split_whitespace().collect::<Vec<_>>().join(" ");
        let assert_stated =
            |words: String| assert!(guide.contains(&words), "the guide does not say: {words}");
        let unit = Gap {
            largest: 0.0,
            scale: 1.0,
        };
        let shares = |of: ElementType| [tolerance(of, unit), rounding(of, unit)].map(percent);
        for (name, of) in [
            ("double", ElementType::Double),
            ("float", ElementType::Float),
            ("float16, bfloat16", ElementType::Bfloat16),
        ] {
            let [tolerance, rounding] = shares(of);
            assert_stated(format!("| {name} | {tolerance} | {rounding} |"));
        }
        let steps = [
            ElementType::Float8e4m3fn,
            ElementType::Float8e5m2,
            ElementType::Float4e2m1,
        ]
        .map(shares);
        let [[first, _], [second, _], [third, _]] = &steps;
        assert_stated(format!(
            "| {first}; {second}; {third}: a step to the next number | the same |"
        ));
        assert!(
            steps
                .iter()
                .all(|[tolerance, rounding]| tolerance == rounding)
        );
        assert_eq!(
            [ElementType::Int8, ElementType::Int64].map(|of| tolerance(of, unit)),
            [1.0, 0.0]
        );
        assert_stated(format!(
            "{} of the distance between the two",
            percent(OWN_SHARE)
        ));
        assert_stated(format!(
            "at most {} of it or by rounding",
            percent(CLOSE_SHARE)
        ));
        assert_stated(format!("up to {} of whole numbers", percent(TIES_SHARE)));
        assert_eq!(MOST_ELEMENTS, 4_194_304);
    }

    #[test]
    fn samples_are_parted_on_whichever_axis_grows() {
        let first = floats(&[2, 1], &[1.0, 2.0]);
        let second = floats(&[2, 1], &[3.0, 4.0]);
        assert_eq!(
            of(
                first.clone(),
                second.clone(),
                floats(&[2, 2], &[1.0, 3.0, 2.0, 4.0])
            ),
            Told::Apart
        );
        assert_eq!(
            of(first, second, floats(&[2, 2], &[1.0, 3.0, 2.0, 8.0])),
            Told::Mixed(Some(0.5))
        );
    }

    #[test]
    fn what_two_samples_share_tells_nothing() {
        let row = floats(&[1, 2], &[1.0, 2.0]);
        assert_eq!(
            of(
                row.clone(),
                row.clone(),
                floats(&[2, 2], &[1.0, 2.0, 1.0, 2.0])
            ),
            Told::Nothing
        );
        assert_eq!(of(row.clone(), row.clone(), row.clone()), Told::Nothing);
        assert_eq!(
            of(row.clone(), floats(&[1, 2], &[0.0, 2.0]), row),
            Told::Mixed(Some(0.5))
        );
    }

    #[test]
    fn samples_are_their_own_within_what_tensor_cores_round() {
        let of = |rounding, largest| {
            rounded(
                rounding,
                floats(&[1, 2], &[100.0, 50.0]),
                floats(&[1, 2], &[80.0, 90.0]),
                floats(&[2, 2], &[largest, 50.0, 80.0, 90.0]),
            )
        };
        assert_eq!(of(FloatRounding::Half, 100.2), Told::Apart);
        for found in [
            of(FloatRounding::Full, 100.2),
            of(FloatRounding::Half, 105.0),
        ] {
            assert!(matches!(found, Told::Mixed(Some(_))));
        }
    }

    #[test]
    fn a_shorter_sample_is_compared_as_far_as_it_goes() {
        let first = floats(&[1, 2], &[1.0, 2.0]);
        let second = floats(&[1, 3], &[3.0, 4.0, 5.0]);
        assert_eq!(
            of(
                first.clone(),
                second.clone(),
                floats(&[2, 3], &[1.0, 2.0, 0.0, 3.0, 4.0, 5.0])
            ),
            Told::Apart
        );
        assert_eq!(
            of(
                first,
                second,
                floats(&[2, 3], &[1.0, 9.0, 0.0, 3.0, 4.0, 5.0])
            ),
            Told::Unsure
        );
    }
}
