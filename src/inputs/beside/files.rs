//! Sizes and classes in the files beside a model.

use std::io;
use std::path::Path;

use serde_json::Value;

use super::{Beside, Entry, FILES, TRITON, classes, sides, triton};
use crate::files::{self, Kind};
use crate::inputs::about::About;
use crate::record::SizeSource;

/// A key of a JSON file, with dots between its levels, and what its number is.
const KEYS: [(&str, &str, About); 21] = [
    ("preprocessor_config.json", "sampling_rate", About::Audio),
    ("preprocessor_config.json", "nb_max_frames", About::Frames),
    ("preprocessor_config.json", "feature_size", About::Features),
    ("config.json", "num_channels", About::Channels),
    ("config.json", "max_position_embeddings", About::MostTokens),
    ("config.json", "n_positions", About::MostTokens),
    (
        "config.json",
        "text_config.max_position_embeddings",
        About::MostTokens,
    ),
    ("config.json", "num_mel_bins", About::Features),
    ("config.json", "head_dim", About::HeadSize),
    ("config.json", "hidden_size", About::Features),
    ("config.json", "d_model", About::Features),
    ("config.json", "num_key_value_heads", About::Heads),
    ("config.json", "num_attention_heads", About::Heads),
    ("config.json", "n_head", About::Heads),
    ("config.json", "decoder_attention_heads", About::Heads),
    (
        "tokenizer_config.json",
        "model_max_length",
        About::MostTokens,
    ),
    (
        "genai_config.json",
        "model.context_length",
        About::MostTokens,
    ),
    (
        "genai_config.json",
        "model.decoder.num_key_value_heads",
        About::Heads,
    ),
    (
        "genai_config.json",
        "model.decoder.num_attention_heads",
        About::Heads,
    ),
    (
        "genai_config.json",
        "model.decoder.head_size",
        About::HeadSize,
    ),
    (
        "genai_config.json",
        "model.decoder.hidden_size",
        About::Features,
    ),
];

/// Keys for the sides of an image, the crop first, which is fed; and the key that, if false, takes
/// them away.
const SIDES: [(&str, &str, Option<&str>); 6] = [
    (
        "preprocessor_config.json",
        "crop_size",
        Some("do_center_crop"),
    ),
    ("preprocessor_config.json", "size", Some("do_resize")),
    ("config.json", "image_size", None),
    ("config.json", "vision_config.image_size", None),
    ("config.json", "input_size", None),
    ("config.json", "pretrained_cfg.input_size", None),
];

const CLASSES: [&str; 2] = ["id2label", "label_names"];

impl Beside {
    pub(super) fn text(&mut self, path: &Path) -> Option<String> {
        if !path.is_file() {
            return None;
        }
        files::text(path, Kind::CONFIGURATION)
            .map_err(|error| self.note(path, fault(&error)))
            .ok()
    }

    fn note(&mut self, path: &Path, fault: &str) {
        self.notes.push(format!("`{}` {fault}", path.display()));
    }

    pub(super) fn json(&mut self, path: &Path, name: &str) {
        let Some(text) = self.text(path) else { return };
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            return self.note(path, "is no JSON and is left out");
        };
        self.entries.extend(sides_in(&value, name));
        self.entries.extend(numbers_in(&value, name));
        if self.classes.is_empty() && name == FILES[0] {
            self.classes = CLASSES
                .iter()
                .find_map(|key| classes::of_json(at(&value, key)?))
                .unwrap_or_default();
        }
    }

    pub(super) fn triton(&mut self, text: &str) {
        for (name, axis, size) in triton::axes(text) {
            self.entries.push(Entry {
                source: of_file(TRITON, &format!("dims of {name}")),
                about: About::Axis(name, axis),
                size,
            });
        }
    }
}

fn fault(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::FileTooLarge => "is too large for a configuration and is not read",
        _ => "cannot be read and is left out",
    }
}

fn sides_in(value: &Value, file: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    for (_, key, step) in SIDES.iter().filter(|(name, ..)| *name == file) {
        let told = at(value, key)
            .filter(|_| !step.is_some_and(|step| is_off(value, step)))
            .map(sides::of_value)
            .unwrap_or_default();
        found.extend(told.into_iter().map(|(about, size, way)| Entry {
            about,
            size,
            source: of_file(file, &format!("{key}{way}")),
        }));
    }
    found
}

fn is_off(value: &Value, key: &str) -> bool {
    at(value, key).and_then(Value::as_bool) == Some(false)
}

fn numbers_in(value: &Value, file: &str) -> Vec<Entry> {
    KEYS.iter()
        .filter(|(name, ..)| *name == file)
        .filter_map(|(_, key, about)| {
            Some(Entry {
                about: about.clone(),
                size: at(value, key)?.as_u64()?,
                source: of_file(file, key),
            })
        })
        .collect()
}

fn of_file(file: &str, key: &str) -> SizeSource {
    SizeSource::File {
        entry: format!("{file}: {key}").into(),
    }
}

/// The value at a key with dots between its levels.
fn at<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    key.split('.')
        .try_fold(value, |value, level| value.get(level))
}
