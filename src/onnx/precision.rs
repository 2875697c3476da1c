//! A model's precision in one word.

use std::collections::BTreeSet;

use super::{Model, Node};
use crate::plan::ElementType;
use crate::record::{Precision, PrecisionShare, WeightBytes};
use crate::units::{Bytes, Ratio};

/// Share of the floating-point weights' bytes that names the model: scales and the like are of
/// another type.
const NAMING_SHARE: f64 = 0.9;

#[derive(Default)]
struct Traits {
    qoperator: bool,
    dynamic: bool,
    quantize: bool,
    dequantize: bool,
    block_bits: Option<i64>,
}

/// The label, by the first of these that holds: weights quantized in blocks; operators that take
/// and give integers; operators that quantize as they go; quantize and dequantize nodes; else the
/// floating-point type of the weights.
pub(super) fn precision(model: &Model, weights: &[WeightBytes]) -> Precision {
    let label = Traits::of(model)
        .label(weights)
        .unwrap_or_else(|| float_label(model, weights));
    Precision {
        label: label.into(),
        shares: shares(weights),
    }
}

fn shares(weights: &[WeightBytes]) -> Vec<PrecisionShare> {
    let total: Bytes = weights.iter().map(|row| row.bytes).sum();
    weights
        .iter()
        .filter(|row| row.bytes.0 > 0)
        .map(|row| PrecisionShare {
            element_type: row.element_type,
            bytes_ratio: Ratio(row.bytes.as_f64() / total.as_f64()),
        })
        .collect()
}

impl Traits {
    fn of(model: &Model) -> Traits {
        let mut traits = Traits::default();
        for node in model.all_graphs().flat_map(|graph| &graph.nodes) {
            traits.note(node);
        }
        traits
    }

    fn note(&mut self, node: &Node) {
        match node.operator.as_str() {
            "QuantizeLinear" => self.quantize = true,
            "DequantizeLinear" => self.dequantize = true,
            "MatMulNBits" | "GatherBlockQuantized" | "QMoE" => {
                self.block_bits = self.block_bits.or(node.integer("bits")).or(Some(4));
            }
            "MatMulBnb4" => self.block_bits = self.block_bits.or(Some(4)),
            "MatMulInteger"
            | "ConvInteger"
            | "DynamicQuantizeLinear"
            | "DynamicQuantizeMatMul"
            | "DynamicQuantizeLSTM"
            | "MatMulIntegerToFloat"
            | "QAttention" => self.dynamic = true,
            "QGemm" => self.qoperator = true,
            operator if operator.starts_with("QLinear") => self.qoperator = true,
            _ => {}
        }
    }

    /// The label of a model that is quantized.
    fn label(&self, weights: &[WeightBytes]) -> Option<String> {
        let width = integer_width(weights);
        Some(match (self.block_bits, width) {
            (Some(bits), _) => format!("int{bits} block"),
            _ if self.qoperator => "int8 QOperator".into(),
            _ if self.dynamic => "int8 dynamic".into(),
            _ if !self.dequantize => return None,
            (_, Some(width @ ("int4" | "int2"))) => format!("{width} block"),
            _ if self.quantize => format!("{} QDQ", width.unwrap_or("int8")),
            _ => format!("{} weight-only", width?),
        })
    }
}

/// The narrow type of most of the quantized weights' bytes. Biases are int32 and shapes int64,
/// which do not count.
fn integer_width(weights: &[WeightBytes]) -> Option<&'static str> {
    weights
        .iter()
        .filter(|row| row.bytes.0 > 0)
        .find_map(|row| match row.element_type {
            ElementType::Int2 | ElementType::Uint2 => Some("int2"),
            ElementType::Int4 | ElementType::Uint4 => Some("int4"),
            ElementType::Float4e2m1 => Some("fp4"),
            ElementType::Int8 | ElementType::Uint8 => Some("int8"),
            ElementType::Int16 | ElementType::Uint16 => Some("int16"),
            ElementType::Float8e4m3fn
            | ElementType::Float8e4m3fnuz
            | ElementType::Float8e5m2
            | ElementType::Float8e5m2fnuz
            | ElementType::Float8e8m0 => Some("fp8"),
            _ => None,
        })
}

fn float_label(model: &Model, weights: &[WeightBytes]) -> String {
    let floats = weights
        .iter()
        .filter_map(|row| Some((float_name(row.element_type)?, row.bytes)));
    let total: Bytes = floats.clone().map(|(_, bytes)| bytes).sum();
    match floats.clone().next() {
        Some((name, bytes)) if bytes.0 > 0 => {
            let is_most = bytes.as_f64() >= NAMING_SHARE * total.as_f64();
            if is_most { name } else { "mixed" }.into()
        }
        _ => io_label(model),
    }
}

/// Label of a model without floating-point weights: the type of its floating-point inputs and
/// outputs.
fn io_label(model: &Model) -> String {
    let infos = model.graph.inputs.iter().chain(&model.graph.outputs);
    let names = infos.filter_map(|info| float_name(info.value_type.element_type()?));
    let names: BTreeSet<&str> = names.collect();
    match names.first() {
        None => "no floating point".into(),
        Some(name) if names.len() == 1 => (*name).into(),
        Some(_) => "mixed".into(),
    }
}

fn float_name(element_type: ElementType) -> Option<&'static str> {
    match element_type {
        ElementType::Float => Some("fp32"),
        ElementType::Float16 => Some("fp16"),
        ElementType::Bfloat16 => Some("bf16"),
        ElementType::Double => Some("fp64"),
        _ => None,
    }
}
