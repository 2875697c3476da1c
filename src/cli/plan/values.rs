//! Values of options, from words.

use std::collections::BTreeSet;
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
    at_most(LARGEST_SIZE, whole(text)?)
}

pub fn device(text: &str) -> Result<u64, String> {
    at_most(i32::MAX as u64, whole(text)?)
}

fn positive(text: &str, most: u64) -> Result<u64, String> {
    match whole(text) {
        Ok(0) => Err("it must be at least 1".into()),
        Err(_) if is_digits(text.trim()) => at_most(most, u64::MAX),
        number => at_most(most, number?),
    }
}

fn at_most(most: u64, number: u64) -> Result<u64, String> {
    if number > most {
        return Err(format!("it must be at most {most}"));
    }
    Ok(number)
}

fn whole(text: &str) -> Result<u64, String> {
    let text = text.trim();
    text.parse().map_err(|_| {
        if is_digits(text) {
            "it is too large".into()
        } else {
            "it is not a whole number".into()
        }
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A positive span of time such as `30ms`, `20s` or `1m 30s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let span = text
        .parse::<SignedDuration>()
        .map_err(|_| "write it with a unit, such as `30ms`, `20s` or `2m`")?;
    match Duration::try_from(span) {
        Ok(span) if span > LONGEST => Err("it must be at most 100 years".into()),
        Ok(span) if !span.is_zero() => Ok(span),
        _ => Err("it must be longer than nothing".into()),
    }
}

/// A positive share such as `2%`.
pub fn percent(text: &str) -> Result<f64, String> {
    match text.trim().trim_end_matches('%').parse() {
        Ok(percent) if f64::is_finite(percent) && percent > 0.0 => Ok(percent / 100.0),
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
    let (name, list) = text
        .strip_prefix("dim=")
        .and_then(|rest| rest.rsplit_once(':'))
        .filter(|(name, list)| !name.is_empty() && !list.is_empty())
        .ok_or("write it as dim=NAME:SIZE,SIZE,..., such as dim=seq:16,64,256")?;
    let sizes = list
        .split(',')
        .map(|word| size(word).map_err(|mistake| format!("size `{word}`: {mistake}")))
        .collect::<Result<BTreeSet<u64>, _>>()?;
    Ok(SweptDim {
        name: name.to_owned(),
        sizes: sizes.into_iter().collect(),
    })
}

/// A span of time such as `10ms`, or `0`.
pub fn gap(text: &str) -> Result<Duration, String> {
    match text.trim() {
        "0" => Ok(Duration::ZERO),
        _ => duration(text),
    }
}

pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
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
    let expected = "write it as KEY=VALUE or EP:KEY=VALUE";
    let (key, value) = key_value(text).map_err(|_| expected)?;
    let (provider, key) = match key.split_once(':') {
        Some((provider, key)) => (Some(provider.to_owned()), key.to_owned()),
        None => (None, key),
    };
    if key.is_empty() || provider.as_ref().is_some_and(String::is_empty) {
        return Err(expected.into());
    }
    Ok(ProviderOption {
        provider,
        key,
        value,
    })
}

/// `auto`, `none`, or a list of CPUs such as `0,2-3`.
pub fn pin(text: &str) -> Result<Pin, String> {
    match text {
        "auto" => Ok(Pin::Auto),
        "each" => Ok(Pin::Each),
        "none" => Ok(Pin::None),
        list => match cpus(list) {
            Some(cpus) => Ok(Pin::Cpus(cpus.into_iter().collect())),
            None => Err("write `auto`, `each`, `none`, or CPUs such as `0,2-3`".into()),
        },
    }
}

fn cpus(list: &str) -> Option<BTreeSet<u64>> {
    let mut cpus = BTreeSet::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        // More CPUs than any machine has are a slip of the finger.
        if last < first || last > 4096 {
            return None;
        }
        cpus.extend(first..=last);
    }
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
            assert_eq!(parse("0").unwrap_err(), "it must be at least 1");
            for word in ["", "-1", "1.5", "1e3", "0x10", "x"] {
                assert_eq!(
                    parse(word).unwrap_err(),
                    "it is not a whole number",
                    "{word}"
                );
            }
        }
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("9223372036854775807"), Ok(i64::MAX as u64));
        assert!(size("9223372036854775808").is_err() && size("99999999999999999999").is_err());
        assert!(device("2147483647").is_ok());
        assert!(device("2147483648").is_err() && device("4294967296").is_err());
    }

    #[test]
    fn a_span_of_time_needs_a_unit_but_for_no_gap() {
        for (text, millis) in [
            ("30ms", 30),
            ("1m 30s", 90_000),
            ("800000h", 800_000 * 3_600_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
        }
        for text in [
            "900000h",
            "9223372036854775807s",
            "99999999999999999999h",
            "20",
            "0s",
            "-1s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(
            (gap("0"), gap("10ms")),
            (Ok(Duration::ZERO), duration("10ms"))
        );
        assert!(gap("10").is_err());
    }

    #[test]
    fn a_swept_dimension_has_a_name_and_sizes() {
        let swept = |text: &str| swept_dim(text).map(|swept| (swept.name, swept.sizes));
        assert_eq!(
            swept("dim=past + 1:64,16,64"),
            Ok(("past + 1".into(), vec![16, 64]))
        );
        assert_eq!(swept("dim=past:16,0"), Ok(("past".into(), vec![0, 16])));
        for text in ["dim=seq", "seq:16", "dim=:16", "dim=seq:"] {
            assert!(
                swept(text).unwrap_err().contains("dim=seq:16,64,256"),
                "{text}"
            );
        }
        assert_eq!(
            swept("dim=seq:16,many").unwrap_err(),
            "size `many`: it is not a whole number"
        );
    }

    #[test]
    fn an_option_may_name_its_provider() {
        assert_eq!(
            provider_option("cuda:a=b:c=d"),
            Ok(ProviderOption {
                provider: Some("cuda".into()),
                key: "a".into(),
                value: "b:c=d".into(),
            })
        );
        assert_eq!(provider_option("a=").unwrap().provider, None);
        for text in ["a", ":a=b", "cuda:=b"] {
            assert!(provider_option(text).is_err(), "{text}");
        }
    }

    #[test]
    fn cpus_are_listed_with_ranges_and_a_target_is_a_positive_percentage() {
        assert_eq!(pin("each"), Ok(Pin::Each));
        assert_eq!(pin("0,2-3"), Ok(Pin::Cpus(vec![0, 2, 3])));
        assert!(pin("3-1").is_err() && pin("").is_err() && pin("0-99999999").is_err());
        assert_eq!(percent("2%"), Ok(0.02));
        assert!(percent("0").is_err() && percent("nan").is_err());
    }
}
