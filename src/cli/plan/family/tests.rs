//! Families found in folders as people have them, made of the repository's models.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::text::joined;

/// A folder with copies of models from below `models/`.
fn tree(copies: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for (to, from) in copies {
        let to = root.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(models.join(from), to).unwrap();
    }
    root
}

fn found(root: &tempfile::TempDir, words: &str) -> Family {
    let words: Vec<PathBuf> = words
        .split(' ')
        .map(|word| root.path().join(word))
        .collect();
    family(&words, None, &InputArgs::default()).unwrap()
}

fn names(family: &Family) -> String {
    joined(family.variants.iter().map(|variant| variant.name.exact()))
}

#[test]
fn folder_of_a_hub_is_one_family_and_the_parts_of_another_model_are_named() {
    let root = tree(&[
        ("onnx/model.onnx", "digits/digits-fp32.onnx"),
        ("onnx/model_fp16.onnx", "digits/digits-fp16.onnx"),
        (
            "onnx/model_quantized.onnx",
            "digits/digits-int8-dynamic.onnx",
        ),
        (
            "onnx/decoder_model_merged.onnx",
            "fixtures/bert-tiny-random-weights.onnx",
        ),
    ]);
    for word in ["onnx", ""] {
        let family = found(&root, word);
        assert_eq!(names(&family), "model, model_fp16, model_quantized");
        let [others, baseline] = &family.notes[..] else {
            panic!("{:?}", family.notes)
        };
        assert!(
            others.contains("`decoder_model_merged.onnx` has other inputs or outputs"),
            "{others}"
        );
        assert_eq!(
            baseline,
            "baseline: model.onnx, the only file in full precision"
        );
    }
}

#[test]
fn baseline_is_found_whatever_the_files_are_called_and_is_none_that_cannot_be_read() {
    let root = tree(&[
        ("m/a.onnx", "digits/digits-int8-static.onnx"),
        ("m/b.onnx", "digits/digits-fp16.onnx"),
        ("m/c.onnx", "digits/digits-fp32.onnx"),
        ("n/a.onnx", "fixtures/broken/truncated.onnx"),
        ("n/b.onnx", "digits/digits-fp16.onnx"),
    ]);
    assert_eq!(names(&found(&root, "m")), "c, a, b");
    assert_eq!(names(&found(&root, "n")), "b, a");
}

#[test]
fn models_of_one_file_name_are_told_apart_by_their_folders() {
    let root = tree(&[
        ("export-int8/model.onnx", "digits/digits-int8-static.onnx"),
        ("export-fp32/model.onnx", "digits/digits-fp32.onnx"),
    ]);
    for words in [
        "",
        "export-int8 export-fp32",
        "export-int8/model.onnx export-fp32/model.onnx",
    ] {
        assert_eq!(names(&found(&root, words)), "fp32, int8", "{words}");
    }
}

#[test]
fn repository_of_a_server_is_a_family_of_its_models() {
    let root = tree(&[
        ("repository/net_a/1/model.onnx", "digits/digits-fp32.onnx"),
        (
            "repository/net_b/1/model.onnx",
            "digits/digits-int8-static.onnx",
        ),
        ("repository/net_b/2/model.onnx", "digits/digits-fp16.onnx"),
    ]);
    for (word, expected, name) in [
        ("repository", "net_a, net_b", "repository"),
        ("repository/net_a", "net_a", "net_a"),
    ] {
        let family = found(&root, word);
        assert_eq!(
            (names(&family).as_str(), family.name.as_str()),
            (expected, name)
        );
    }
    let newest = &found(&root, "repository").variants[1].path;
    assert!(newest.ends_with("net_b/2/model.onnx"));
}

#[test]
#[cfg(unix)]
fn links_of_a_hub_s_cache_keep_the_names_that_they_have() {
    let root = tree(&[("hub/models--me--digits/blobs/0a", "digits/digits-fp32.onnx")]);
    let snapshot = root
        .path()
        .join("hub/models--me--digits/snapshots/abc/onnx");
    fs::create_dir_all(&snapshot).unwrap();
    std::os::unix::fs::symlink("../../../blobs/0a", snapshot.join("model.onnx")).unwrap();
    let family = found(&root, "hub/models--me--digits");
    assert_eq!(
        (names(&family).as_str(), family.name.as_str()),
        ("model", "digits")
    );
    assert!(
        family.variants[0]
            .path
            .ends_with("snapshots/abc/onnx/model.onnx")
    );
}

#[test]
fn files_that_are_named_stay_and_decide_which_others_of_a_folder_do() {
    let root = tree(&[
        ("m/one.onnx", "digits/digits-fp32.onnx"),
        ("m/two.onnx", "digits/digits-fp16.onnx"),
        ("encoder.onnx", "fixtures/bert-tiny-random-weights.onnx"),
    ]);
    let mixed = found(&root, "m encoder.onnx");
    assert_eq!(names(&mixed), "encoder");
    let notes = mixed.notes.concat();
    assert!(
        notes.contains("`one.onnx`, `two.onnx` have other inputs"),
        "{notes}"
    );
    assert_eq!(found(&root, "m/one.onnx encoder.onnx").variants.len(), 2);
}

#[test]
fn data_in_the_folder_above_is_found_if_it_fits() {
    let npz = "digits/digits-test.npz";
    let root = tree(&[
        ("exports/digits-test.npz", npz),
        ("exports/onnx/model.onnx", "digits/digits-fp32.onnx"),
        ("other/m.onnx", "fixtures/one-node.onnx"),
        ("other/digits.npz", npz),
    ]);
    for word in ["exports", "exports/onnx", "exports/onnx/model.onnx"] {
        assert_eq!(
            found(&root, word).data,
            Some(root.path().join("exports/digits-test.npz")),
            "{word}"
        );
    }
    let misfit = found(&root, "other");
    assert!(
        misfit.data.is_none() && misfit.notes[0].contains("data beside the models is not used"),
        "{misfit:?}"
    );
}

#[test]
fn several_data_files_that_fit_are_said_and_none_is_taken() {
    let npz = "digits/digits-test.npz";
    let root = tree(&[
        ("m/a.npz", npz),
        ("m/b.npz", npz),
        ("m/model.onnx", "digits/digits-fp32.onnx"),
    ]);
    let family = found(&root, "m");
    assert!(
        family.data.is_none() && family.notes[0].contains("since several fit"),
        "{family:?}"
    );
}
