//! Elements of eight bits and fewer that Rust has no type for: held one to a byte here, packed
//! where they leave.

use crate::plan::ElementType;

#[derive(Clone, Copy, Debug)]
struct Layout {
    exponent_bits: u32,
    mantissa_bits: u32,
    bias: i32,
    special: Special,
}

/// Which codes of a layout are no finite numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Special {
    Nothing,
    /// Not a number: all bits of exponent and mantissa set.
    AllOnes,
    /// Not a number: what would be negative zero.
    NegativeZero,
    /// Infinity and not a number, as in IEEE 754.
    Ieee,
    /// Not a number: all bits set; there is neither sign nor zero.
    Scale,
}

/// Source: the ONNX standard, `float stored in 8 bits` and `4 bits`; for `float8e8m0`, the OCP's
/// microscaling formats.
fn layout(element_type: ElementType) -> Option<Layout> {
    let (exponent_bits, mantissa_bits, bias, special) = match element_type {
        ElementType::Float8e4m3fn => (4, 3, 7, Special::AllOnes),
        ElementType::Float8e4m3fnuz => (4, 3, 8, Special::NegativeZero),
        ElementType::Float8e5m2 => (5, 2, 15, Special::Ieee),
        ElementType::Float8e5m2fnuz => (5, 2, 16, Special::NegativeZero),
        ElementType::Float4e2m1 => (2, 1, 1, Special::Nothing),
        ElementType::Float8e8m0 => (8, 0, 127, Special::Scale),
        _ => return None,
    };
    Some(Layout {
        exponent_bits,
        mantissa_bits,
        bias,
        special,
    })
}

impl Layout {
    fn decode(self, code: u8) -> f64 {
        let mantissa = u32::from(code) & ((1 << self.mantissa_bits) - 1);
        let exponent_mask = (1 << self.exponent_bits) - 1;
        let exponent = (u32::from(code) >> self.mantissa_bits) & exponent_mask;
        let is_last = exponent == exponent_mask;
        let magnitude = match self.special {
            Special::AllOnes if is_last && mantissa == (1 << self.mantissa_bits) - 1 => f64::NAN,
            Special::NegativeZero if code == 0x80 => f64::NAN,
            Special::Scale if is_last => f64::NAN,
            Special::Ieee if is_last && mantissa == 0 => f64::INFINITY,
            Special::Ieee if is_last => f64::NAN,
            _ => self.finite(exponent, mantissa),
        };
        let sign = u32::from(code) >> (self.exponent_bits + self.mantissa_bits);
        if sign == 1 { -magnitude } else { magnitude }
    }

    fn finite(self, exponent: u32, mantissa: u32) -> f64 {
        let share = f64::from(mantissa) / f64::from(1 << self.mantissa_bits);
        if exponent == 0 && self.special != Special::Scale {
            return share * f64::from(1 - self.bias).exp2();
        }
        (1.0 + share) * f64::from(exponent as i32 - self.bias).exp2()
    }
}

/// The value of each code of a floating-point type of up to eight bits; absent for other types.
pub(super) fn values(element_type: ElementType) -> Option<Vec<f64>> {
    let layout = layout(element_type)?;
    let codes = 0..1_u32 << element_type.bits()?;
    Some(codes.map(|code| layout.decode(code as u8)).collect())
}

/// Largest finite value of a floating-point type of up to eight bits; absent for other types.
pub(super) fn largest(element_type: ElementType) -> Option<f64> {
    values(element_type)?
        .into_iter()
        .filter(|value| value.is_finite())
        .reduce(f64::max)
}

pub(super) struct Rounding {
    /// Finite values in their order, with their codes.
    finite: Vec<(f64, u8)>,
    not_a_number: u8,
}

impl Rounding {
    /// Absent for other types.
    pub(super) fn to(element_type: ElementType) -> Option<Rounding> {
        let values = values(element_type)?;
        let mut finite: Vec<(f64, u8)> = values
            .iter()
            .copied()
            .zip(0..=u8::MAX)
            .filter(|(value, _)| value.is_finite() && value.to_bits() != (-0.0_f64).to_bits())
            .collect();
        finite.sort_by(|one, other| one.0.total_cmp(&other.0));
        let not_a_number = values
            .iter()
            .position(|value| value.is_nan())
            .map_or(0, |at| at as u8);
        Some(Rounding {
            finite,
            not_a_number,
        })
    }

    /// The code of the nearest value, the even one of two that are as near; beyond the largest,
    /// that.
    pub(super) fn code(&self, value: f64) -> u8 {
        if value.is_nan() {
            return self.not_a_number;
        }
        let above = self.finite.partition_point(|&(known, _)| known < value);
        let below = above.checked_sub(1).and_then(|at| self.finite.get(at));
        match (below, self.finite.get(above)) {
            (Some(&(low, low_code)), Some(&(high, high_code))) => {
                let (to_low, to_high) = (value - low, high - value);
                if to_low < to_high || to_low == to_high && low_code & 1 == 0 {
                    low_code
                } else {
                    high_code
                }
            }
            (Some(&(_, code)), None) | (None, Some(&(_, code))) => code,
            (None, None) => self.not_a_number,
        }
    }
}

/// Whether elements of a type are held one to a byte here, whatever they take elsewhere.
pub(super) fn is_narrow(element_type: ElementType) -> bool {
    use ElementType as E;
    layout(element_type).is_some()
        || matches!(element_type, E::Int4 | E::Uint4 | E::Int2 | E::Uint2)
}

/// Codes of `bits` bits, one to a byte, as they lie in memory elsewhere: the first in the lowest
/// bits.
pub(super) fn pack(codes: &[u8], bits: u32) -> Vec<u8> {
    let per_byte = (8 / bits) as usize;
    codes
        .chunks(per_byte)
        .map(|part| byte_of(part, bits))
        .collect()
}

fn byte_of(codes: &[u8], bits: u32) -> u8 {
    let mask = u8::MAX >> (8 - bits);
    codes
        .iter()
        .rev()
        .fold(0, |byte: u8, code| byte.unbounded_shl(bits) | code & mask)
}

/// The code in the lowest bits of a byte, that of a signed type with its sign.
pub(super) fn lowest(byte: u8, element_type: ElementType) -> u8 {
    let unused = 8 - element_type.bits().unwrap_or(8);
    match element_type {
        ElementType::Int4 | ElementType::Int2 => ((byte << unused) as i8 >> unused) as u8,
        _ => byte << unused >> unused,
    }
}

/// The codes of packed bytes, one to a byte, those of signed types with their sign; absent if bytes
/// are not as many.
pub(super) fn unpack(bytes: &[u8], element_type: ElementType, count: usize) -> Option<Vec<u8>> {
    let bits = element_type.bits()?;
    let per_byte = (8 / bits) as usize;
    if bytes.len() != count.div_ceil(per_byte) {
        return None;
    }
    Some(
        (0..count)
            .map(|at| bytes[at / per_byte] >> (bits * (at % per_byte) as u32))
            .map(|code| lowest(code, element_type))
            .collect(),
    )
}

/// The floating-point types.
#[cfg(test)]
pub(super) const FLOATS: [ElementType; 6] = {
    use ElementType as E;
    [
        E::Float8e4m3fn,
        E::Float8e4m3fnuz,
        E::Float8e5m2,
        E::Float8e5m2fnuz,
        E::Float4e2m1,
        E::Float8e8m0,
    ]
};

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    fn decoded(element_type: ElementType, code: u8) -> f64 {
        values(element_type).unwrap()[usize::from(code)]
    }

    #[test]
    fn codes_mean_what_the_standard_says() {
        use ElementType as E;
        for (element_type, code, value) in [
            (E::Float8e4m3fn, 0x7e, 448.0),
            (E::Float8e4m3fn, 0x01, 1.0 / 512.0),
            (E::Float8e4m3fn, 0xb8, -1.0),
            (E::Float8e4m3fnuz, 0x7f, 240.0),
            (E::Float8e4m3fnuz, 0x01, 1.0 / 1024.0),
            (E::Float8e5m2, 0x7b, 57344.0),
            (E::Float8e5m2, 0x01, 1.0 / 65536.0),
            (E::Float8e5m2, 0xfc, f64::NEG_INFINITY),
            (E::Float8e5m2fnuz, 0x7f, 57344.0),
            (E::Float8e5m2fnuz, 0x01, 1.0 / 131_072.0),
            (E::Float8e8m0, 0x00, (-127.0_f64).exp2()),
            (E::Float8e8m0, 0x7f, 1.0),
            (E::Float8e8m0, 0xfe, 127.0_f64.exp2()),
        ] {
            assert_eq!(
                decoded(element_type, code),
                value,
                "{element_type} {code:#x}"
            );
        }
        let fours: Vec<f64> = (0..8).map(|code| decoded(E::Float4e2m1, code)).collect();
        assert_eq!(fours, [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]);
        assert_eq!(decoded(E::Float4e2m1, 15), -6.0);
    }

    #[test]
    fn what_is_no_number_has_the_codes_that_the_standard_gives_it() {
        use ElementType as E;
        let nans = |element_type| {
            let values = values(element_type).unwrap();
            (0..values.len())
                .filter(|&code| values[code].is_nan())
                .collect::<Vec<usize>>()
        };
        assert_eq!(nans(E::Float8e4m3fn), [0x7f, 0xff]);
        assert_eq!(nans(E::Float8e4m3fnuz), [0x80]);
        assert_eq!(nans(E::Float8e5m2fnuz), [0x80]);
        assert_eq!(nans(E::Float8e5m2), [0x7d, 0x7e, 0x7f, 0xfd, 0xfe, 0xff]);
        assert_eq!(nans(E::Float8e8m0), [0xff]);
        assert_eq!(nans(E::Float4e2m1), [0_usize; 0]);
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest_and_ties_to_even() {
        let to = |element_type, value| {
            let code = Rounding::to(element_type).unwrap().code(value);
            decoded(element_type, code)
        };
        assert_eq!(to(ElementType::Float4e2m1, 2.5), 2.0);
        assert_eq!(to(ElementType::Float4e2m1, 3.5), 4.0);
        assert_eq!(to(ElementType::Float4e2m1, 5.1), 6.0);
        assert_eq!(to(ElementType::Float8e4m3fn, 1e9), 448.0);
        assert_eq!(to(ElementType::Float8e5m2, f64::NEG_INFINITY), -57344.0);
        assert_eq!(to(ElementType::Float8e8m0, 0.3), 0.25);
        assert!(to(ElementType::Float8e4m3fn, f64::NAN).is_nan());
        for element_type in FLOATS {
            for (code, value) in values(element_type).unwrap().into_iter().enumerate() {
                let is_own = !value.is_finite() || (value == 0.0 && code != 0);
                assert!(
                    is_own || to(element_type, value) == value,
                    "{element_type} {code:#x}"
                );
            }
        }
    }

    #[test]
    fn packed_elements_come_back() {
        use ElementType as E;
        let mut random = Pcg64Mcg::seed_from_u64(1);
        for length in 0..40 {
            let codes: Vec<u8> = (0..length).map(|_| random.random()).collect();
            for element_type in [
                E::Int2,
                E::Uint2,
                E::Int4,
                E::Uint4,
                E::Float4e2m1,
                E::Float8e5m2,
            ] {
                let bits = element_type.bits().unwrap();
                let packed = pack(&codes, bits);
                assert_eq!(packed.len(), (codes.len() * bits as usize).div_ceil(8));
                let mask = (255_u16 >> (8 - bits)) as u8;
                let masked =
                    |codes: &[u8]| codes.iter().map(|code| code & mask).collect::<Vec<u8>>();
                let unpacked = unpack(&packed, element_type, codes.len()).unwrap();
                assert_eq!(masked(&unpacked), masked(&codes), "{element_type}");
                assert!(unpack(&packed, element_type, codes.len() + 8).is_none());
            }
        }
    }

    #[test]
    fn the_first_element_lies_in_the_lowest_bits() {
        assert_eq!(pack(&[1, 2, 3], 4), [0x21, 0x03]);
        assert_eq!(pack(&[1, 2, 3, 0, 1], 2), [0b0011_1001, 1]);
        assert_eq!(
            unpack(&[0x8f], ElementType::Int4, 2),
            Some(vec![0xff, 0xf8])
        );
        assert_eq!(unpack(&[0x8f], ElementType::Uint4, 1), Some(vec![15]));
    }
}
