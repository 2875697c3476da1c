//! Predictions in words.

use super::*;
use crate::plan::ElementType;
use crate::plan::ValueRange;
use crate::record::{AxisReason, BatchProof};

fn fed(name: &str, dims: &[Option<u64>], sources: &[SizeSource]) -> FedInput {
    FedInput {
        sources: sources.to_vec(),
        ..FedInput::new(
            name,
            ElementType::Int64,
            dims.to_vec(),
            FillKind::Uniform(ValueRange {
                low: 0.0,
                high: 9.0,
            }),
        )
    }
}

fn axis(places: &[(&str, u64)], proof: BatchProof) -> BatchAxis {
    let axes = places
        .iter()
        .map(|&(input, axis)| (input.into(), axis))
        .collect();
    BatchAxis {
        axes,
        symbol: None,
        fixed_size: None,
        reason: AxisReason::SymbolName,
        proof,
    }
}

#[test]
fn a_prediction_is_told_with_its_sources_and_what_steers_it() {
    let image = fed(
        "image",
        &[None, Some(3), Some(640)],
        &[
            SizeSource::Batch,
            SizeSource::Fixed,
            SizeSource::Metadata {
                key: "imgsz".into(),
            },
        ],
    );
    let length = FedInput {
        steers: true,
        fill: FillKind::Constant(128.0),
        reason: "as long as the signal".into(),
        ..fed("length", &[None], &[])
    };
    let line = prediction(
        &[length, image],
        &axis(&[("image", 0), ("length", 0)], BatchProof::Proved),
        Trial::Ran,
    );
    assert_eq!(
        line,
        "One prediction: image [1, 3, 640] (size from the file's metadata, imgsz), \
        length = 128 (as long as the signal). Batch: axis 0 of image and length, proved."
    );
}

#[test]
fn every_input_that_steers_is_named_with_what_it_is_fed() {
    let steering = |n: u64, fill: FillKind| FedInput {
        steers: true,
        fill,
        reason: if n < 6 {
            "why".into()
        } else {
            "why not".into()
        },
        ..fed(&format!("m{n}"), &[Some(n)], &[])
    };
    let mut all: Vec<FedInput> = (0..9)
        .map(|n| steering(n, FillKind::Constant((n / 8) as f64)))
        .collect();
    all.push(steering(9, FillKind::Data));
    let line = inputs(&all);
    assert!(
        line.starts_with("m0 [0] = 0 (why), m1 = 0 (why), m2 [2] = 0 (why), "),
        "{line}"
    );
    assert!(
        line.ends_with("m5 [5] = 0 (why), m6 and m7 = 0, m8 = 1, m9 as in the data"),
        "{line}"
    );
    assert!(!line.contains("more"), "{line}");
}

#[test]
fn values_of_a_range_are_told_and_one_value_alone() {
    let asked = |low: f64, high: f64, element_type: ElementType| {
        steered(&FedInput {
            fill: FillKind::Uniform(ValueRange { low, high }),
            element_type,
            ..fed("x", &[None, Some(1)], &[])
        })
    };
    assert_eq!(asked(0.5, 1.0, ElementType::Float), "x [1, 1] = 0.5 to 1");
    assert_eq!(asked(0.0, 0.0, ElementType::Bool), "x [1, 1] = false");
    assert_eq!(
        asked(0.0, 1.0, ElementType::Bool),
        "x [1, 1] = false to true"
    );
}

#[test]
fn long_lists_are_cut() {
    let names: Vec<String> = (0..24).map(|n| format!("s{n:02}")).collect();
    let states: Vec<FedInput> = names
        .iter()
        .map(|name| fed(name, &[Some(1)], &[SizeSource::MadeUp]))
        .collect();
    let all: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let line = prediction(&states, &axis(&all, BatchProof::Untried), Trial::NotTried);
    assert_eq!(
        line,
        "One prediction (not tried): s00 [1] (made up), s01 [1] (made up), s02 [1] (made up), \
        s03 [1] (made up), and 20 more. Batch: axis 1 of s00, s01, s02 and 21 more, not tried."
    );
}

#[test]
fn a_missing_batch_says_why() {
    let none = BatchAxis::none(BatchProof::NotProved {
        reason: "along `height` two samples together give `y` other values".into(),
    });
    assert_eq!(
        batch(&none),
        "none: along `height` two samples together give `y` other values"
    );
    let fixed = BatchAxis {
        fixed_size: Some(4),
        ..axis(
            &[("x", 0)],
            BatchProof::NotProved {
                reason: "the model fixes its size at 4".into(),
            },
        )
    };
    assert_eq!(
        batch(&fixed),
        "axis 0 of x, not proved: the model fixes its size at 4"
    );
}
