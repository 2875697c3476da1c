//! JSON Schema of the record.

use schemars::{Schema, SchemaGenerator};

use super::{RunRecord, SCHEMA_VERSION};

/// JSON Schema (draft 2020-12) of [`RunRecord`], as a reader may rely on it: fields that a minor version added are not
/// required. Its `$id` and title carry the version.
#[must_use]
pub fn json_schema() -> Schema {
    let version = format!("{}.{}", SCHEMA_VERSION.major, SCHEMA_VERSION.minor);
    let mut schema = SchemaGenerator::default().into_root_schema_for::<RunRecord>();
    schema.insert("$id".into(), format!("urn:onnxprof:run-record:{version}").into());
    schema.insert("title".into(), format!("onnxprof run record {version}").into());
    schema
}
