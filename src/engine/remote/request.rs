//! Bodies of requests, encoded before they are sent.

use std::fmt;

use serde::{Serialize, Serializer};

use super::datatype;
use crate::engine::{EngineError, Result};
use crate::inputs::{Argument, TensorData, Value};

/// How tensors lie in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As numbers in JSON.
    Json,
    /// As bytes after the JSON, by the protocol's extension for binary data.
    Binary,
}

impl fmt::Display for Encoding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Encoding::Json => "as JSON",
            Encoding::Binary => "as bytes",
        })
    }
}

#[derive(Debug)]
pub(super) struct EncodedRequest {
    pub(super) body: Vec<u8>,
    /// Where binary data begin, if there are any.
    pub(super) header_length: Option<usize>,
}

impl EncodedRequest {
    pub(super) fn content_type(&self) -> &'static str {
        match self.header_length {
            None => "application/json",
            Some(_) => "application/octet-stream",
        }
    }

    /// Of inputs, which are to be among these, where the server names any.
    pub(super) fn of(inputs: &[Argument], known: &[String], encoding: Encoding) -> Result<Self> {
        let mut encoded = Vec::new();
        let mut bytes = Vec::new();
        for input in inputs {
            let name = input.name.exact();
            let data = match &input.value {
                Value::Tensor(data) => data,
                Value::Nothing => continue,
                Value::Sequence(..) => return Err(refused(name, "the protocol has no sequences")),
            };
            if !known.is_empty() && !known.iter().any(|known| known == name) {
                let known = known.join(", ");
                return Err(refused(
                    name,
                    &format!("the server's model has no such input; it has {known}"),
                ));
            }
            encoded.push(EncodedInput::of(name, data, encoding, &mut bytes)?);
        }
        let whole = Whole {
            parameters: match encoding {
                Encoding::Json => None,
                Encoding::Binary => Some(OutputsWanted {
                    binary_data_output: true,
                }),
            },
            inputs: encoded,
        };
        let mut body =
            serde_json::to_vec(&whole).map_err(|error| refused("inputs", &error.to_string()))?;
        let header_length = match encoding {
            Encoding::Json => None,
            Encoding::Binary => Some(body.len()),
        };
        body.append(&mut bytes);
        Ok(EncodedRequest {
            body,
            header_length,
        })
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<OutputsWanted>,
    inputs: Vec<EncodedInput<'a>>,
}

#[derive(Serialize)]
struct OutputsWanted {
    binary_data_output: bool,
}

#[derive(Serialize)]
struct EncodedInput<'a> {
    name: &'a str,
    shape: &'a [usize],
    datatype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<BinarySize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Numbers<'a>>,
}

#[derive(Serialize)]
struct BinarySize {
    binary_data_size: usize,
}

struct Numbers<'a>(&'a TensorData);

impl Serialize for Numbers<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        datatype::to_json(self.0, out)
    }
}

impl<'a> EncodedInput<'a> {
    /// Binary data are added to `bytes`.
    fn of(
        name: &'a str,
        data: &'a TensorData,
        encoding: Encoding,
        bytes: &mut Vec<u8>,
    ) -> Result<Self> {
        let element_type = data.element_type();
        let datatype = datatype::name(element_type).ok_or_else(|| {
            let type_name = element_type.name();
            refused(name, &format!("the protocol has no type for {type_name}"))
        })?;
        let (parameters, data_in_json) = match encoding {
            Encoding::Binary => {
                let own = datatype::to_bytes(data)
                    .ok_or_else(|| refused(name, "its elements have no binary form"))?;
                bytes.extend_from_slice(&own);
                let binary_data_size = own.len();
                (Some(BinarySize { binary_data_size }), None)
            }
            Encoding::Json if has_unwritable(data) => {
                return Err(refused(
                    name,
                    "JSON has no form for infinity and what is not a number",
                ));
            }
            Encoding::Json => (None, Some(Numbers(data))),
        };
        Ok(EncodedInput {
            name,
            shape: data.shape(),
            datatype,
            parameters,
            data: data_in_json,
        })
    }
}

fn has_unwritable(data: &TensorData) -> bool {
    data.element_type().is_float()
        && data
            .first_f64(usize::MAX)
            .iter()
            .any(|value| !value.is_finite())
}

fn refused(name: &str, why: &str) -> EngineError {
    EngineError::Bind {
        name: name.to_owned(),
        message: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::*;

    fn inputs(values: [f32; 2]) -> Vec<Argument> {
        let values = ArrayD::from_shape_vec(IxDyn(&[1, 2]), values.to_vec()).unwrap();
        vec![
            Argument {
                name: "x".into(),
                value: Value::Tensor(TensorData::Float(values)),
            },
            Argument {
                name: "left_out".into(),
                value: Value::Nothing,
            },
        ]
    }

    #[test]
    fn bodies_are_those_of_the_protocol() {
        let names = ["x".to_owned()];
        let json = EncodedRequest::of(&inputs([0.1, -2.0]), &names, Encoding::Json).unwrap();
        assert_eq!(
            String::from_utf8(json.body).unwrap(),
            r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[0.1,-2.0]}]}"#
        );
        let binary = EncodedRequest::of(&inputs([1.0, 2.0]), &[], Encoding::Binary).unwrap();
        let (head, bytes) = binary.body.split_at(binary.header_length.unwrap());
        assert_eq!(
            String::from_utf8(head.to_vec()).unwrap(),
            r#"{"parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}"#
        );
        assert_eq!(bytes, [0, 0, 128, 63, 0, 0, 0, 64]);
    }

    #[test]
    fn what_cannot_be_sent_is_told_with_its_input() {
        let said = |inputs: &[Argument], names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let refused = EncodedRequest::of(inputs, &names, Encoding::Json);
            refused.unwrap_err().to_string()
        };
        assert_eq!(
            said(&inputs([1.0, 1.0]), &["a", "b"]),
            "failed to bind `x`: the server's model has no such input; it has a, b"
        );
        assert_eq!(
            said(&inputs([1.0, f32::NAN]), &[]),
            "failed to bind `x`: JSON has no form for infinity and what is not a number"
        );
    }
}
