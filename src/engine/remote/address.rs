//! Where requests go: an address that the user named, resolved once.

use std::net::{SocketAddr, ToSocketAddrs};

use ureq::http::Uri;

use crate::engine::{EngineError, Result};
use crate::plan::ModelServer;

const PREFIX: &str = "/v2/models/";
const PORT: u16 = 80;

#[derive(Debug)]
pub(super) struct Address {
    /// `http://HOST:PORT`.
    origin: String,
    /// `/v2/models/NAME`, perhaps with a version.
    path: String,
    pub(super) resolved: Vec<SocketAddr>,
}

impl Address {
    pub(super) fn resolve(server: &ModelServer) -> Result<Self> {
        let url = server.url.exact();
        let refused = |(message, hint): Refusal| EngineError::Address {
            url: url.to_owned(),
            message,
            hint,
        };
        let mut address = parsed(url).map_err(refused)?;
        address.resolved = lookup(&address.origin).map_err(refused)?;
        address
            .require_own(server.is_owned)
            .map_err(refused)
            .map(|()| address)
    }

    /// Requests to other machines cost their owners something.
    fn require_own(&self, is_owned: bool) -> Result<(), Refusal> {
        match self.resolved.iter().find(|one| !one.ip().is_loopback()) {
            Some(other) if !is_owned => Err((
                format!("it leads to {}, which is not this machine", other.ip()),
                "load only servers that are yours: say so with `--i-own-this-server`",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn server(&self) -> String {
        format!("{}/v2", self.origin)
    }

    pub(super) fn model(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    pub(super) fn ready(&self) -> String {
        format!("{}/ready", self.model())
    }

    pub(super) fn infer(&self) -> String {
        format!("{}/infer", self.model())
    }

    pub(super) fn model_name(&self) -> &str {
        let rest = self.path.strip_prefix(PREFIX).unwrap_or(&self.path);
        rest.split('/').next().unwrap_or(rest)
    }
}

/// Why an address is none, and a remedy.
type Refusal = (String, &'static str);

const FORM: &str = "write it as `http://127.0.0.1:8000/v2/models/NAME`";

fn parsed(url: &str) -> Result<Address, Refusal> {
    match url.split_once("://").map(|(scheme, _)| scheme) {
        Some("http") => {}
        Some("https") => {
            return Err((
                "encrypted connections are not supported".into(),
                "name the server's own port without TLS, as on the machine that it runs on",
            ));
        }
        Some(other) => return Err((format!("`{other}` is not `http`"), FORM)),
        None => return Err(("it does not begin with `http://`".into(), FORM)),
    }
    let uri: Uri = url
        .parse()
        .map_err(|error| (format!("it is no URL: {error}"), FORM))?;
    let authority = uri
        .authority()
        .filter(|authority| !authority.host().is_empty())
        .ok_or_else(|| ("it names no host".to_owned(), FORM))?;
    if authority.as_str().contains('@') {
        return Err((
            "names and passwords in an address are not supported".into(),
            FORM,
        ));
    }
    if uri.query().is_some() {
        return Err(("it has a query".into(), FORM));
    }
    let path = uri.path().trim_end_matches('/');
    if !is_of_model(path) {
        return Err((
            format!("its path is `{}`, not `{PREFIX}NAME`", uri.path()),
            FORM,
        ));
    }
    let port = authority.port_u16().unwrap_or(PORT);
    Ok(Address {
        origin: format!("http://{}:{port}", authority.host()),
        path: path.to_owned(),
        resolved: Vec::new(),
    })
}

/// `/v2/models/NAME`, or `/v2/models/NAME/versions/VERSION`.
fn is_of_model(path: &str) -> bool {
    let Some(rest) = path.strip_prefix(PREFIX) else {
        return false;
    };
    let parts: Vec<&str> = rest.split('/').collect();
    match parts[..] {
        [name] => !name.is_empty(),
        [name, "versions", version] => !name.is_empty() && !version.is_empty(),
        _ => false,
    }
}

fn lookup(origin: &str) -> Result<Vec<SocketAddr>, Refusal> {
    let host = origin.trim_start_matches("http://");
    let found: Vec<SocketAddr> = host
        .to_socket_addrs()
        .map_err(|error| (format!("`{host}` is not known: {error}"), FORM))?
        .collect();
    if found.is_empty() {
        return Err((format!("`{host}` has no address"), FORM));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(url: &str, is_owned: bool) -> Result<Address> {
        Address::resolve(&ModelServer {
            url: url.into(),
            pid: None,
            is_owned,
        })
    }

    #[test]
    fn a_model_is_named_by_its_path() {
        for (url, infer, name) in [
            (
                "http://127.0.0.1:8000/v2/models/digits",
                "http://127.0.0.1:8000/v2/models/digits/infer",
                "digits",
            ),
            (
                "http://[::1]/v2/models/a/versions/2/",
                "http://[::1]:80/v2/models/a/versions/2/infer",
                "a",
            ),
        ] {
            let address = resolved(url, false).unwrap();
            assert_eq!(
                (address.infer().as_str(), address.model_name()),
                (infer, name)
            );
        }
    }

    #[test]
    fn what_names_no_model_here_is_refused_before_anything_is_sent() {
        for (url, said) in [
            ("file:///v2/models/a", "`file` is not `http`"),
            ("https://127.0.0.1/v2/models/a", "encrypted"),
            ("127.0.0.1:8000", "does not begin with `http://`"),
            ("/v2/models/a", "does not begin with `http://`"),
            ("http://127.0.0.1:8000/", "its path is `/`"),
            ("http://127.0.0.1:8000/v1/models/a", "its path is"),
            ("http://127.0.0.1:8000/v2/models/", "its path is"),
            ("http://127.0.0.1:8000/v2/models/a/infer", "its path is"),
            ("http://127.0.0.1:8000/v2/models/a?x=1", "it has a query"),
            ("http://me:secret@127.0.0.1/v2/models/a", "passwords"),
            ("http://192.0.2.1:8000/v2/models/a", "not this machine"),
            ("http://0.0.0.0:8000/v2/models/a", "not this machine"),
        ] {
            let error = resolved(url, false).unwrap_err().to_string();
            assert!(error.contains(said), "{url}: {error}");
        }
        assert!(resolved("http://192.0.2.1:8000/v2/models/a", true).is_ok());
    }
}
