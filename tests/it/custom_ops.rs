//! Libraries of custom operators that cannot be registered, and models that need one.

use onnxprof::record::{FailureKind, Outcome};

use crate::support::{BAD_INPUT, model};
use crate::workbench::Workbench;

/// A model with the operator `Frobnicate` of the domain `com.example`.
const MODEL: &str = "fixtures/broken/unknown-domain.onnx";

#[test]
fn hint_of_a_model_that_needs_a_library_names_the_option() {
    let bench = Workbench::new();
    let output = bench.profile(&model(MODEL), ["--batch", "1"]).run();
    output.assert_error(BAD_INPUT, "is not a registered function/op", "`--custom-ops LIB`");
}

#[test]
fn library_without_operators_is_refused_in_the_runtime_s_words() {
    let bench = Workbench::new();
    let text = bench.write("lib.so", "no library");
    let output = bench.profile(&model(MODEL), ["--batch", "1"]).arg("--custom-ops").arg(&text).run();
    output.assert_error(BAD_INPUT, "failed to register the custom operators of", "with `--custom-ops`");
    let record = bench.record();
    assert!(matches!(&record.cells[0].outcome, Outcome::Failed(failure) if failure.kind == FailureKind::Runtime));
    let output = Workbench::new().profile(&model(MODEL), ["--custom-ops", "nowhere.so"]).run();
    output.assert_error(BAD_INPUT, "there is no file `nowhere.so`", "give the path");
}
