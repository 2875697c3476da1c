//! Figures, phrases and tables for people: all scaling and rounding happens here.

mod gain_split;
pub(super) mod item;
pub(super) mod judged;
pub(super) mod judgement;
pub(super) mod load;
pub mod number;
mod phrases;
pub(super) mod quantization;
mod scores;
pub(super) mod session_code;
pub(super) mod so_far;
mod source;
pub(super) mod table;
pub mod text;

pub(super) use gain_split::gain_by_cause;
pub(super) use item::{Item, Section};
pub(super) use phrases::*;
pub(super) use scores::*;
pub(super) use source::{About, Source};
pub(super) use table::{
    ABSENT, BASELINE, Builder, Line, MEANINGLESS, REFERENCE, Row, RowKind, Table,
};
pub(super) use text::{
    capital, common_length, counted_noun, first_names, first_operators, grouped, joined, listed,
    number_of, on_or_off, once, plain, plural, shortened,
};
