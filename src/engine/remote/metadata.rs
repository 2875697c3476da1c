//! What a server says of itself and of a model.

use serde::Deserialize;
use serde_json::Value;

use super::datatype;
use super::request::Encoding;
use super::trouble::{Trouble, words};
use crate::record::{Dim, TensorInfo, ValueType};

/// The protocol's extension by which tensors are sent as bytes.
const BINARY: &str = "binary_tensor_data";

#[derive(Debug, Deserialize)]
pub(super) struct ServerMetadata {
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    extensions: Vec<String>,
}

impl ServerMetadata {
    pub(super) fn read(body: &[u8]) -> Result<Self, Trouble> {
        serde_json::from_slice(body).map_err(|_| {
            unlike("a server's metadata", body)
                .hinted("name a server that speaks the Open Inference Protocol, version 2")
        })
    }

    pub(super) fn encoding(&self) -> Encoding {
        if self.extensions.iter().any(|extension| extension == BINARY) {
            Encoding::Binary
        } else {
            Encoding::Json
        }
    }

    pub(super) fn name_and_version(&self) -> String {
        match self.version.as_deref() {
            None | Some("") => self.name.clone(),
            Some(version) => format!("{} {version}", self.name),
        }
    }

    pub(super) fn abilities(&self, encoding: Encoding) -> String {
        let extensions = match self.extensions.len() {
            0 => "no extensions".to_owned(),
            _ => format!("extensions {}", self.extensions.join(", ")),
        };
        format!("Open Inference Protocol 2 over HTTP, {extensions}; tensors are sent {encoding}")
    }
}

/// Some servers say in words that a model is not ready, with a status of success.
pub(super) fn require_ready(body: &[u8]) -> Result<(), Trouble> {
    let told: Option<Value> = serde_json::from_slice(body).ok();
    let is_ready = told.as_ref().and_then(|told| told.get("ready"));
    if is_ready.and_then(Value::as_bool) == Some(false) {
        return Err(Trouble::new("says that the model is not ready")
            .hinted("load the model there, and wait until it is ready"));
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
pub(super) struct ModelMetadata {
    #[serde(default)]
    inputs: Option<Vec<TensorMetadata>>,
    #[serde(default)]
    outputs: Option<Vec<TensorMetadata>>,
    /// Without it, what came is of something else.
    name: String,
}

#[derive(Debug, Deserialize)]
struct TensorMetadata {
    name: String,
    datatype: String,
    #[serde(default)]
    shape: Vec<i64>,
}

impl ModelMetadata {
    pub(super) fn read(body: &[u8]) -> Result<Self, Trouble> {
        serde_json::from_slice(body).map_err(|_| unlike("a model's metadata", body))
    }

    pub(super) fn input_names(&self) -> Vec<String> {
        names(self.inputs.as_deref())
    }

    pub(super) fn output_names(&self) -> Vec<String> {
        names(self.outputs.as_deref())
    }

    /// Inputs and outputs with their types.
    pub(super) fn interface(&self) -> Result<Interface, Trouble> {
        let told = |tensors: Option<&[TensorMetadata]>, what: &str| match tensors {
            None | Some([]) => Err(Trouble::new(format!(
                "does not tell the {what} of the model `{}`",
                self.name
            ))
            .hinted("name the model file as well: `onnxprof load MODEL --url URL`")),
            Some(tensors) => tensors.iter().map(info).collect::<Result<Vec<_>, _>>(),
        };
        Ok((
            told(self.inputs.as_deref(), "inputs")?,
            told(self.outputs.as_deref(), "outputs")?,
        ))
    }
}

/// Inputs and outputs.
pub(super) type Interface = (Vec<TensorInfo>, Vec<TensorInfo>);

fn names(tensors: Option<&[TensorMetadata]>) -> Vec<String> {
    let tensors = tensors.unwrap_or_default().iter();
    tensors.map(|tensor| tensor.name.clone()).collect()
}

fn info(tensor: &TensorMetadata) -> Result<TensorInfo, Trouble> {
    let Some(element_type) = datatype::element_type(&tensor.datatype) else {
        return Err(Trouble::new(format!(
            "names `{}` of a type that is none of the protocol: `{}`",
            tensor.name, tensor.datatype
        )));
    };
    let dims = tensor.shape.iter().enumerate();
    Ok(TensorInfo {
        name: tensor.name.as_str().into(),
        value_type: ValueType::Tensor {
            element_type,
            dims: Some(
                dims.map(|(axis, &size)| dim(&tensor.name, axis, size))
                    .collect(),
            ),
        },
    })
}

/// Open dimensions have no names: the first one of each tensor is taken for the batch.
fn dim(tensor: &str, axis: usize, size: i64) -> Dim {
    match u64::try_from(size) {
        Ok(size) => Dim::Fixed(size),
        Err(_) if axis == 0 => Dim::Symbolic("batch".into()),
        Err(_) => Dim::Symbolic(format!("{tensor}_{axis}").into()),
    }
}

/// Of an answer that is something else than what was asked for.
pub(super) fn unlike(wanted: &str, body: &[u8]) -> Trouble {
    match words(body).as_str() {
        "" => Trouble::new(format!("answered with nothing, not with {wanted}")),
        said => Trouble::new(format!(
            "answered with something else than {wanted}: {said}"
        )),
    }
}
