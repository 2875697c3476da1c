//! One connection to a server, which is kept from request to request.

use std::io::Read;
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::{HeaderMap, Response, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};

use super::address::Address;
use super::patience::Patience;
use super::request::EncodedRequest;
use super::trouble::Trouble;

/// Bytes of an answer beyond which it is none.
const MOST_BYTES: u64 = 1 << 30;
/// Addresses that the client library has room for.
const MOST_ADDRESSES: usize = 16;
/// Says where binary data begins, in bytes after the start of the body.
pub(super) const HEADER_LENGTH: &str = "inference-header-content-length";

#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    infer: Uri,
    patience: Patience,
}

impl Client {
    pub(super) fn new(address: &Arc<Address>, patience: Patience) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .timeout_connect(Some(patience.connect))
            .timeout_per_read(Some(patience.read))
            .timeout_global(Some(patience.whole))
            .user_agent(concat!("onnxprof/", env!("CARGO_PKG_VERSION")))
            .build();
        Client {
            agent: Agent::with_parts(
                config,
                DefaultConnector::default(),
                Known(Arc::clone(address)),
            ),
            infer: address.infer().parse().unwrap_or_default(),
            patience,
        }
    }

    /// The body of an answer of success.
    pub(super) fn get(&self, url: &str) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        let answered = self
            .agent
            .get(url)
            .call()
            .map_err(|error| Trouble::of(error, self.patience))?;
        self.read(answered, &mut body)?;
        Ok(body)
    }

    /// Asks for an inference, whose answer is put into `body`; returns where its binary data begin,
    /// if it has any.
    pub(super) fn infer(
        &self,
        request: &EncodedRequest,
        body: &mut Vec<u8>,
    ) -> Result<Option<usize>, Trouble> {
        let mut asking = self
            .agent
            .post(&self.infer)
            .header("content-type", request.content_type());
        if let Some(length) = request.header_length {
            asking = asking.header(HEADER_LENGTH, length);
        }
        let answered = asking
            .send(&request.body[..])
            .map_err(|error| Trouble::of(error, self.patience))?;
        let headers = self.read(answered, body)?;
        let Some(length) = headers.get(HEADER_LENGTH) else {
            return Ok(None);
        };
        let length = length.to_str().ok().and_then(|text| text.parse().ok());
        length
            .filter(|&length| length <= body.len())
            .map(Some)
            .ok_or_else(|| Trouble::new("answered with binary data, and not where they begin"))
    }

    /// Reads an answer to its end.
    fn read(&self, answered: Response<Body>, into: &mut Vec<u8>) -> Result<HeaderMap, Trouble> {
        into.clear();
        let (head, mut body) = answered.into_parts();
        let read = body.as_reader().take(MOST_BYTES).read_to_end(into);
        if head.status.is_redirection() {
            let to = head.headers.get("location");
            let to = to.map_or("", |to| to.to_str().unwrap_or_default());
            return Err(Trouble::of_redirect(head.status, to));
        }
        if !head.status.is_success() {
            return Err(Trouble::of_status(head.status, into));
        }
        let length = read.map_err(|error| Trouble::of(ureq::Error::from(error), self.patience))?;
        if length as u64 >= MOST_BYTES {
            return Err(Trouble::new(format!(
                "answered with more than {} MiB",
                MOST_BYTES >> 20
            )));
        }
        Ok(head.headers)
    }
}

/// The addresses that the server's name led to when the user's word was checked.
#[derive(Debug)]
struct Known(Arc<Address>);

impl Resolver for Known {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut known = self.empty();
        for &address in self.0.resolved.iter().take(MOST_ADDRESSES) {
            known.push(address);
        }
        Ok(known)
    }
}
