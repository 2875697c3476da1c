//! Values of options, from words.

use std::time::Duration;

use jiff::SignedDuration;

use crate::plan::Pin;

/// Threads and requests in flight beyond which no machine runs any.
const MOST_THREADS: u64 = 1 << 16;
const MOST_REPETITIONS: u64 = u32::MAX as u64;
const LARGEST_SIZE: u64 = i64::MAX as u64;
/// Nobody waits longer: 100 years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A number of threads, or of requests in flight, which have one each.
pub fn threads(text: &str) -> Result<u64, String> {
    positive(text, MOST_THREADS)
}

pub fn repetitions(text: &str) -> Result<u64, String> {
    positive(text, MOST_REPETITIONS)
}

pub fn batch(text: &str) -> Result<u64, String> {
    positive(text, LARGEST_SIZE)
}

/// A size of a dimension, which may be empty.
pub fn size(text: &str) -> Result<u64, String> {
    match whole(text)? {
        size if size > LARGEST_SIZE => Err(format!("it must be at most {LARGEST_SIZE}")),
        size => Ok(size),
    }
}

pub fn device(text: &str) -> Result<u64, String> {
    match whole(text)? {
        index if index > i32::MAX as u64 => Err(format!("it must be at most {}", i32::MAX)),
        index => Ok(index),
    }
}

fn positive(text: &str, most: u64) -> Result<u64, String> {
    match whole(text) {
        Ok(0) => Err("it must be at least 1".into()),
        Ok(number) if number <= most => Ok(number),
        Ok(_) => Err(format!("it must be at most {most}")),
        Err(_) if is_digits(text.trim()) => Err(format!("it must be at most {most}")),
        Err(error) => Err(error),
    }
}

fn whole(text: &str) -> Result<u64, String> {
    let text = text.trim();
    text.parse().map_err(|_| {
        if is_digits(text) {
            "it is too large"
        } else {
            "it is not a whole number"
        }
        .to_owned()
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A positive span of time such as `30ms`, `20s` or `1m 30s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let span: SignedDuration = text
        .parse()
        .map_err(|_| "write it with a unit, such as `30ms`, `20s` or `2m`")?;
    match Duration::try_from(span) {
        Ok(span) if span > LONGEST => Err("it must be at most 100 years".into()),
        Ok(span) if !span.is_zero() => Ok(span),
        _ => Err("it must be longer than nothing".into()),
    }
}

/// A positive share such as `2%`.
pub fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%');
    match number.parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent > 0.0 => Ok(percent / 100.0),
        _ => Err("write a positive percentage, such as `2%`".into()),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweptDim {
    /// Its symbol, or `INPUT.AXIS`.
    pub name: String,
    /// Its sizes, ascending and distinct.
    pub sizes: Vec<u64>,
}

/// `dim=NAME:N,N,...`.
pub fn swept_dim(text: &str) -> Result<SweptDim, String> {
    let expected = "write it as dim=NAME:SIZE,SIZE,..., such as dim=seq:16,64,256";
    let (name, list) = text
        .strip_prefix("dim=")
        .and_then(|rest| rest.rsplit_once(':'))
        .ok_or(expected)?;
    if name.is_empty() || list.is_empty() {
        return Err(expected.into());
    }
    let size = |word: &str| size(word).map_err(|mistake| format!("size `{word}`: {mistake}"));
    let mut sizes: Vec<u64> = list.split(',').map(size).collect::<Result<_, String>>()?;
    sizes.sort_unstable();
    sizes.dedup();
    Ok(SweptDim {
        name: name.to_owned(),
        sizes,
    })
}

/// A span of time such as `10ms`, or `0`.
pub fn gap(text: &str) -> Result<Duration, String> {
    if text.trim() == "0" {
        Ok(Duration::ZERO)
    } else {
        duration(text)
    }
}

pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".into()),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderOption {
    /// Word for the execution provider; absent: the only one besides the CPU's.
    pub provider: Option<String>,
    pub key: String,
    pub value: String,
}

/// `KEY=VALUE`, or `EP:KEY=VALUE`.
pub fn provider_option(text: &str) -> Result<ProviderOption, String> {
    let split = key_value(text)
        .ok()
        .and_then(|(key, value)| match key.split_once(':') {
            Some((provider, key)) if !provider.is_empty() && !key.is_empty() => {
                Some(ProviderOption {
                    provider: Some(provider.to_owned()),
                    key: key.to_owned(),
                    value,
                })
            }
            Some(_) => None,
            None => Some(ProviderOption {
                provider: None,
                key,
                value,
            }),
        });
    split.ok_or_else(|| "write it as KEY=VALUE or EP:KEY=VALUE".into())
}

/// `auto`, `none`, or a list of CPUs such as `0,2-3`.
pub fn pin(text: &str) -> Result<Pin, String> {
    match text {
        "auto" => Ok(Pin::Auto),
        "none" => Ok(Pin::None),
        list => cpus(list)
            .map(Pin::Cpus)
            .ok_or_else(|| "write `auto`, `none`, or CPUs such as `0,2-3`".into()),
    }
}

fn cpus(list: &str) -> Option<Vec<u64>> {
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (
            first.trim().parse::<u64>().ok()?,
            last.trim().parse::<u64>().ok()?,
        );
        // More CPUs than any machine has are a slip of the finger.
        if last < first || last > 4096 {
            return None;
        }
        cpus.extend(first..=last);
    }
    cpus.sort_unstable();
    cpus.dedup();
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_fit_nothing_are_refused() {
        assert_eq!((threads("65536"), batch(" 7 ")), (Ok(65_536), Ok(7)));
        for (parse, most) in [
            (threads as fn(&str) -> Result<u64, String>, 65_536_u64),
            (repetitions, u64::from(u32::MAX)),
            (batch, i64::MAX as u64),
        ] {
            assert_eq!(parse(&most.to_string()), Ok(most));
            for beyond in [(u128::from(most) + 1).to_string(), u128::MAX.to_string()] {
                assert_eq!(
                    parse(&beyond),
                    Err(format!("it must be at most {most}")),
                    "{beyond}"
                );
            }
            assert_eq!(parse("0"), Err("it must be at least 1".into()));
            for word in ["", "-1", "1.5", "1e3", "0x10", "x"] {
                assert_eq!(
                    parse(word),
                    Err("it is not a whole number".into()),
                    "{word}"
                );
            }
        }
        assert_eq!(
            (size("0"), size("9223372036854775807")),
            (Ok(0), Ok(i64::MAX as u64))
        );
        assert!(size("9223372036854775808").is_err() && size("99999999999999999999").is_err());
        assert!(
            device("2147483647").is_ok()
                && device("2147483648").is_err()
                && device("4294967296").is_err()
        );
    }

    #[test]
    fn a_span_of_time_needs_a_unit_but_for_no_gap() {
        assert_eq!(duration("30ms"), Ok(Duration::from_millis(30)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("800000h"), Ok(Duration::from_secs(800_000 * 3600)));
        for long in ["900000h", "9223372036854775807s", "99999999999999999999h"] {
            assert!(duration(long).is_err(), "{long}");
        }
        assert!(duration("20").is_err() && duration("0s").is_err() && duration("-1s").is_err());
        assert_eq!(
            (gap("0"), gap("10ms")),
            (Ok(Duration::ZERO), Ok(Duration::from_millis(10)))
        );
        assert!(gap("10").is_err());
    }

    #[test]
    fn a_swept_dimension_has_a_name_and_sizes() {
        let swept = swept_dim("dim=past + 1:64,16,64").unwrap();
        assert_eq!(
            (swept.name.as_str(), swept.sizes.as_slice()),
            ("past + 1", &[16, 64][..])
        );
        assert!(
            swept_dim("dim=seq")
                .unwrap_err()
                .contains("dim=seq:16,64,256")
        );
        assert!(
            swept_dim("seq:16").is_err()
                && swept_dim("dim=:16").is_err()
                && swept_dim("dim=seq:").is_err()
        );
        assert_eq!(swept_dim("dim=past:16,0").unwrap().sizes, [0, 16]);
        assert_eq!(
            swept_dim("dim=seq:16,many").unwrap_err(),
            "size `many`: it is not a whole number"
        );
    }

    #[test]
    fn an_option_may_name_its_provider() {
        let option = provider_option("cuda:a=b:c=d").unwrap();
        assert_eq!(
            (
                option.provider.as_deref(),
                option.key.as_str(),
                option.value.as_str()
            ),
            (Some("cuda"), "a", "b:c=d")
        );
        assert_eq!(provider_option("a=").unwrap().provider, None);
        assert!(
            provider_option("a").is_err()
                && provider_option(":a=b").is_err()
                && provider_option("cuda:=b").is_err()
        );
    }

    #[test]
    fn cpus_are_listed_with_ranges_and_a_target_is_a_positive_percentage() {
        assert_eq!(pin("0,2-3"), Ok(Pin::Cpus(vec![0, 2, 3])));
        assert!(pin("3-1").is_err() && pin("").is_err() && pin("0-99999999").is_err());
        assert_eq!(percent("2%"), Ok(0.02));
        assert!(percent("0").is_err() && percent("nan").is_err());
    }
}
