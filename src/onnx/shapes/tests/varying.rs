//! Operators that make as many elements as values say.

use super::*;

/// Operators that take sizes from the input that is called `?`.
const SIZED: [(&str, &[&str]); 14] = [
    ("AffineGrid", &["x", "?"]),
    ("BlackmanWindow", &["?"]),
    ("CenterCropPad", &["x", "?"]),
    ("Col2Im", &["x", "?", "stored"]),
    ("Col2Im", &["x", "stored", "?"]),
    ("com.microsoft:CropAndResize", &["x", "x", "stored", "?"]),
    ("DFT", &["x", "?"]),
    ("HammingWindow", &["?"]),
    ("HannWindow", &["?"]),
    ("MaxUnpool", &["x", "x", "?"]),
    ("OneHot", &["x", "?", "x"]),
    ("STFT", &["x", "?", "stored"]),
    ("STFT", &["x", "stored", "", "?"]),
    ("TopK", &["x", "?"]),
];

/// Why sizes of an operator vary that takes its sizes from that value.
fn varying(operator: &str, inputs: &[&str], sizes: &str) -> Option<String> {
    let inputs: Vec<&str> = inputs
        .iter()
        .map(|&name| if name == "?" { sizes } else { name })
        .collect();
    let built = floats("x", &[-1, -2, 1])
        .input("fed", ElementType::Int64, &[4])
        .whole("stored", &[2.0, 2.0, 2.0, 2.0])
        .node(
            "RandomUniform",
            &[],
            &["noise"],
            &[("shape", integers(&[4]))],
        )
        .node("Cast", &["noise"], &["random"], &[("to", integers(&[7]))]);
    built.plain(operator, &inputs, "y").facts().varying
}

#[test]
fn sizes_that_an_operand_says_vary_where_it_is_fed_or_random_and_not_where_it_is_stored() {
    for (operator, inputs) in SIZED {
        let name = operator.trim_start_matches("com.microsoft:");
        let why = Some(format!("{name} `n2` takes sizes from what an input holds"));
        for sizes in ["fed", "random"] {
            assert_eq!(
                varying(operator, inputs, sizes),
                why,
                "{operator}, {inputs:?}, {sizes}"
            );
        }
        assert_eq!(
            varying(operator, inputs, "stored"),
            None,
            "{operator}, {inputs:?}"
        );
    }
}

#[test]
fn searches_end_where_values_say() {
    for operator in [
        "BeamSearch",
        "GreedySearch",
        "Sampling",
        "WhisperBeamSearch",
    ] {
        let searched = floats("x", &[-1, -2]);
        let facts = searched
            .plain(&format!("com.microsoft:{operator}"), &["x"], "y")
            .facts();
        let why = format!("{operator} `n0` makes as many tokens as there are until it ends");
        assert_eq!(facts.varying, Some(why));
    }
}
