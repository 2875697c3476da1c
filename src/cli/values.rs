//! Values of options, from words.

use std::time::Duration;

use jiff::SignedDuration;

use super::ep_args::ProviderOption;
use crate::plan::Pin;

/// A whole number of at least 1.
pub(super) fn positive(text: &str) -> Result<u64, String> {
    match text.trim().parse() {
        Ok(0) => Err("it must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("it is not a whole number".into()),
    }
}

/// A positive span of time such as `30ms`, `20s` or `1m 30s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span: SignedDuration = text.parse().map_err(|_| "write it with a unit, such as `30ms`, `20s` or `2m`")?;
    match Duration::try_from(span) {
        Ok(span) if !span.is_zero() => Ok(span),
        _ => Err("it must be longer than nothing".into()),
    }
}

/// A positive share such as `2%`.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%');
    match number.parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent > 0.0 => Ok(percent / 100.0),
        _ => Err("write a positive percentage, such as `2%`".into()),
    }
}

/// Sizes of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweptDim {
    /// Its symbol, or `INPUT.AXIS`.
    pub name: String,
    /// Its sizes, ascending and distinct.
    pub sizes: Vec<u64>,
}

/// `dim=NAME:N,N,...`.
pub(super) fn swept_dim(text: &str) -> Result<SweptDim, String> {
    let expected = "write it as dim=NAME:SIZE,SIZE,..., such as dim=seq:16,64,256";
    let (name, list) = text.strip_prefix("dim=").and_then(|rest| rest.rsplit_once(':')).ok_or(expected)?;
    if name.is_empty() || list.is_empty() {
        return Err(expected.into());
    }
    let size = |word: &str| word.trim().parse().map_err(|_| format!("size `{word}`: it is not a whole number"));
    let mut sizes: Vec<u64> = list.split(',').map(size).collect::<Result<_, String>>()?;
    sizes.sort_unstable();
    sizes.dedup();
    Ok(SweptDim { name: name.to_owned(), sizes })
}

/// A span of time such as `10ms`, or `0`.
pub(super) fn gap(text: &str) -> Result<Duration, String> {
    if text.trim() == "0" { Ok(Duration::ZERO) } else { duration(text) }
}

/// `KEY=VALUE`.
pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".into()),
    }
}

/// `KEY=VALUE`, or `EP:KEY=VALUE`.
pub(super) fn provider_option(text: &str) -> Result<ProviderOption, String> {
    let split = key_value(text).ok().and_then(|(key, value)| match key.split_once(':') {
        Some((provider, key)) if !provider.is_empty() && !key.is_empty() => {
            Some(ProviderOption { provider: Some(provider.to_owned()), key: key.to_owned(), value })
        }
        Some(_) => None,
        None => Some(ProviderOption { provider: None, key, value }),
    });
    split.ok_or_else(|| "write it as KEY=VALUE or EP:KEY=VALUE".into())
}

/// `auto`, `none`, or a list of CPUs such as `0,2-3`.
pub(super) fn pin(text: &str) -> Result<Pin, String> {
    match text {
        "auto" => Ok(Pin::Auto),
        "none" => Ok(Pin::None),
        list => cpus(list).map(Pin::Cpus).ok_or_else(|| "write `auto`, `none`, or CPUs such as `0,2-3`".into()),
    }
}

fn cpus(list: &str) -> Option<Vec<u64>> {
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse::<u64>().ok()?, last.trim().parse::<u64>().ok()?);
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
    fn a_span_of_time_needs_a_unit() {
        assert_eq!(duration("30ms"), Ok(Duration::from_millis(30)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert!(duration("20").is_err() && duration("0s").is_err() && duration("-1s").is_err());
    }

    #[test]
    fn a_swept_dimension_has_a_name_and_sizes() {
        let swept = swept_dim("dim=past + 1:64,16,64").unwrap();
        assert_eq!((swept.name.as_str(), swept.sizes.as_slice()), ("past + 1", &[16, 64][..]));
        assert!(swept_dim("dim=seq").unwrap_err().contains("dim=seq:16,64,256"));
        assert!(swept_dim("seq:16").is_err() && swept_dim("dim=:16").is_err() && swept_dim("dim=seq:").is_err());
        assert_eq!(swept_dim("dim=past:16,0").unwrap().sizes, [0, 16]);
        assert_eq!(swept_dim("dim=seq:16,many").unwrap_err(), "size `many`: it is not a whole number");
    }

    #[test]
    fn a_gap_may_be_none() {
        assert_eq!(gap("0"), Ok(Duration::ZERO));
        assert_eq!(gap("10ms"), Ok(Duration::from_millis(10)));
        assert!(gap("10").is_err());
    }

    #[test]
    fn batch_zero_is_refused() {
        assert!(positive("0").is_err() && positive("-1").is_err() && positive("x").is_err());
        assert_eq!(positive("8"), Ok(8));
    }

    #[test]
    fn an_option_may_name_its_provider() {
        let option = provider_option("cuda:a=b:c=d").unwrap();
        assert_eq!(
            (option.provider.as_deref(), option.key.as_str(), option.value.as_str()),
            (Some("cuda"), "a", "b:c=d")
        );
        assert_eq!(provider_option("a=").unwrap().provider, None);
        assert!(
            provider_option("a").is_err() && provider_option(":a=b").is_err() && provider_option("cuda:=b").is_err()
        );
    }

    #[test]
    fn cpus_are_listed_with_ranges() {
        assert_eq!(pin("0,2-3"), Ok(Pin::Cpus(vec![0, 2, 3])));
        assert!(pin("3-1").is_err() && pin("").is_err() && pin("0-99999999").is_err());
    }

    #[test]
    fn a_target_is_a_positive_percentage() {
        assert_eq!(percent("2%"), Ok(0.02));
        assert!(percent("0").is_err() && percent("nan").is_err());
    }
}
