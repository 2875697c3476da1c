//! Operators that make as many elements as values say.

use super::*;

/// Operators that take sizes from the input that is called `?`.
const SIZED: [&str; 14] = [
    "AffineGrid x ?",
    "BlackmanWindow ?",
    "CenterCropPad x ?",
    "Col2Im x ? stored",
    "Col2Im x stored ?",
    "com.microsoft.CropAndResize x x stored ?",
    "DFT x ?",
    "HammingWindow ?",
    "HannWindow ?",
    "MaxUnpool x x ?",
    "OneHot x ? x",
    "STFT x ? stored",
    "STFT x stored _ ?",
    "TopK x ?",
];

/// Why sizes of an operator vary that takes its sizes from that value.
fn varying(call: &str, sizes: &str) -> Option<String> {
    let built = floats("x", &[-1, -2, 1])
        .input("fed", ElementType::Int64, &[4])
        .whole("stored", &[2.0; 4])
        .node("noise = RandomUniform shape=4")
        .node("random = Cast noise to=7");
    let node = format!("y = {}", call.replace('?', sizes));
    built.node(&node).facts().varying
}

#[test]
fn sizes_that_an_operand_says_vary_where_it_is_fed_or_random_and_not_where_it_is_stored() {
    for call in SIZED {
        let name = call.trim_start_matches("com.microsoft.");
        let (name, _) = name.split_once(' ').unwrap();
        let why = Some(format!("{name} `n2` takes sizes from what an input holds"));
        for (sizes, wanted) in [("fed", &why), ("random", &why), ("stored", &None)] {
            assert_eq!(&varying(call, sizes), wanted, "{call}, {sizes}");
        }
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
        let searched = floats("x", &[-1, -2]).node(&format!("y = com.microsoft.{operator} x"));
        let why = format!("{operator} `n0` makes as many tokens as there are until it ends");
        assert_eq!(searched.facts().varying, Some(why));
    }
}
