//! Answers to requests, decoded when outputs are asked for.

use memchr::memmem;
use serde::Deserialize;
use serde_json::Value;

use super::datatype;
use super::metadata::unlike;
use super::trouble::Trouble;
use crate::inputs::Tensor;

/// The name of the field that an answer has its outputs in.
const OUTPUTS: &[u8] = b"\"outputs\"";

/// An answer as it came, in memory that is used again.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// Where binary data begin, if there are any.
    pub(super) header_length: Option<usize>,
}

#[derive(Deserialize)]
struct Whole {
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    datatype: String,
    shape: Vec<u64>,
    #[serde(default)]
    parameters: Option<Parameters>,
    #[serde(default)]
    data: Option<Value>,
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(default)]
    binary_data_size: Option<usize>,
}

impl Answer {
    /// Checks in passing that it has outputs: it is decoded outside of what is timed.
    pub(super) fn require_outputs(&self) -> Result<(), Trouble> {
        let head = self.head();
        match head.first() {
            Some(b'{') if memmem::find(head, OUTPUTS).is_some() => Ok(()),
            _ => Err(unlike("outputs", head)),
        }
    }

    fn head(&self) -> &[u8] {
        let length = self.header_length.unwrap_or(self.body.len());
        self.body.get(..length).unwrap_or(&self.body)
    }

    /// Its outputs, in the order of these names, which are all that there are to be; in its own
    /// where none are known.
    pub(super) fn outputs(&self, names: &[String]) -> Result<Vec<Tensor>, Trouble> {
        self.require_outputs()?;
        let head = self.head();
        let whole: Whole = serde_json::from_slice(head).map_err(|error| {
            let unlike = unlike("outputs", head);
            match error.is_eof() {
                true => Trouble::new("answered with JSON that is cut off"),
                false => unlike,
            }
        })?;
        let mut bytes = self.body.get(head.len()..).unwrap_or_default();
        let mut outputs = Vec::new();
        for output in &whole.outputs {
            outputs.push(output.tensor(&mut bytes)?);
        }
        in_order(outputs, names)
    }
}

fn in_order(mut outputs: Vec<Tensor>, names: &[String]) -> Result<Vec<Tensor>, Trouble> {
    if names.is_empty() {
        return Ok(outputs);
    }
    let mut ordered = Vec::new();
    for name in names {
        let Some(place) = outputs.iter().position(|output| output.name == *name) else {
            let had: Vec<String> = outputs.into_iter().map(|output| output.name).collect();
            return Err(Trouble::new(format!(
                "answered without the output `{name}` that it named; it has {}",
                had.join(", ")
            )));
        };
        ordered.push(outputs.remove(place));
    }
    Ok(ordered)
}

impl Output {
    /// Binary data are taken from the front of `bytes`.
    fn tensor(&self, bytes: &mut &[u8]) -> Result<Tensor, Trouble> {
        let name = &self.name;
        let element_type = datatype::element_type(&self.datatype).ok_or_else(|| {
            Trouble::new(format!(
                "answered with `{name}` of a type that is none of the protocol: `{}`",
                self.datatype
            ))
        })?;
        let shape = self.shape();
        let parameters = self.parameters.as_ref();
        let data = match parameters.and_then(|parameters| parameters.binary_data_size) {
            Some(size) => {
                let (own, rest) = bytes.split_at_checked(size).ok_or_else(|| {
                    Trouble::new(format!(
                        "answered with binary data of `{name}` that are cut off"
                    ))
                })?;
                *bytes = rest;
                datatype::of_bytes(element_type, &shape, own)
            }
            None => self
                .data
                .as_ref()
                .and_then(|data| datatype::of_json(element_type, &shape, data)),
        };
        let data = data.ok_or_else(|| {
            Trouble::new(format!(
                "answered with data of `{name}` that are not {} of shape {shape:?}",
                self.datatype
            ))
        })?;
        Ok(Tensor {
            name: name.clone(),
            data,
        })
    }

    /// A size that no memory holds fits no data either.
    fn shape(&self) -> Vec<usize> {
        let sizes = self.shape.iter();
        sizes
            .map(|&size| usize::try_from(size).unwrap_or(usize::MAX))
            .collect()
    }
}
