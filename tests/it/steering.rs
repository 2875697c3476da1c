//! Made-up values of inputs that decide how much is computed: on real models, whatever their inputs
//! are called.

use onnxprof::text::Plain;
use serde_json::{Value, json};

use crate::support::{Onnxprof, model};
use crate::workbench::Workbench;

/// How the input at `place` of a fixture and of its twin without names would be filled: both in the
/// same way.
fn fill(fixture: &str, place: usize) -> Value {
    let [named, anonymous] = ["", "-anonymous"].map(|end| {
        let path = model(&format!("fixtures/steering/{fixture}{end}.onnx"));
        let output = Onnxprof::new().arg("inspect").arg(path).arg("--json").run();
        let found = output.data();
        let fed = &found["inputs"]["fed"][place];
        assert_eq!(fed["steers"], true, "{fed}");
        fed["fill"].clone()
    });
    assert_eq!(named, anonymous);
    named
}

/// Runs the fixture's twin without names once.
fn measure(fixture: &str) -> Workbench {
    let bench = Workbench::new();
    let path = model(&format!("fixtures/steering/{fixture}-anonymous.onnx"));
    bench.profile(&path, ["--batch", "1"]).run().assert_code(0);
    bench
}

#[test]
fn mask_in_which_true_leaves_out_is_false() {
    assert_eq!(fill("ignored", 1), json!({ "constant": 0.0 }));
    let notes = Plain::joined(&measure("ignored").record().notes, "\n");
    assert!(!notes.contains("not finite"), "{notes}");
}

#[test]
fn length_is_as_long_as_the_data() {
    let path = model("fixtures/steering/counted-anonymous.onnx");
    for frames in ["100", "240"] {
        let dim = format!("d1={frames}");
        let output = Onnxprof::new()
            .arg("inspect")
            .arg(&path)
            .args(["--json", "--dim", &dim])
            .run();
        let found = output.data();
        let size = frames.parse::<f64>().unwrap();
        assert_eq!(
            found["inputs"]["fed"][1]["fill"],
            json!({ "constant": size }),
            "{found}"
        );
    }
    measure("counted");
}

#[test]
fn factor_is_one() {
    assert_eq!(fill("scaled", 1), json!({ "constant": 1.0 }));
}

#[test]
fn words_are_those_that_the_encoder_of_their_column_knows() {
    let words = |words: &[&str]| json!({ "words": words });
    assert_eq!(
        fill("columns", 0),
        json!({ "columns": [words(&["red", "green", "blue"]), words(&["small", "large"])] })
    );
    measure("columns");
}

#[test]
fn sampling_rate_is_one_that_the_model_compares_with() {
    assert_eq!(fill("rated", 1), json!({ "constant": 16_000.0 }));
    measure("rated");
}

#[test]
fn what_the_user_gives_to_an_input_that_steers_is_named_in_the_answer() {
    for (fixture, range, said) in [
        ("ignored", "0..0", "= false (asked for by --range)"),
        ("scaled", "0.5..1", "= 0.5 to 1 (asked for by --range)"),
        ("counted", "40..40", "= 40 (asked for by --range)"),
    ] {
        for end in ["", "-anonymous"] {
            let path = model(&format!("fixtures/steering/{fixture}{end}.onnx"));
            let inspect =
                |words: &[&str]| Onnxprof::new().arg("inspect").arg(&path).args(words).run();
            let found = inspect(&["--json"]).data();
            let name = found["inputs"]["fed"][1]["name"].as_str().unwrap();
            inspect(&["--range", &format!("{name}={range}")])
                .assert_code(0)
                .assert_stdout(said);
        }
    }
}
