//! On which execution provider ONNX Runtime has put each node, by its own account: C API of version
//! 24 and newer.
//!
//! onnxprof loads older libraries as well, so that this part of the API is asked for when there is
//! one.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use ort::AsPointer;
use ort::session::Session as OrtSession;
use ort::sys::{OrtApi, OrtApiBase, OrtSession as RawSession, OrtStatusPtr};

use crate::record::ProviderNodes;

/// Session configuration by which ONNX Runtime keeps the account.
pub(super) const RECORD: &str = "session.record_ep_graph_assignment_info";

/// The first with the account.
const VERSION: u32 = 24;

/// The functions of `OrtApi` up to the last one used here, in the order of `onnxruntime_c_api.h`.
///
/// The table only grows at its end from one version of ONNX Runtime to the next, so that a library
/// of version 24 or newer has these functions in these places.
#[repr(C)]
pub(super) struct Api {
    up_to_23: OrtApi,
    /// `TensorTypeAndShape_HasShape` to `CreateEnvWithOptions`, which are not used.
    unused: [*const c_void; 17],
    session_get_ep_graph_assignment_info: unsafe extern "system" fn(
        *const RawSession,
        *mut *const *const c_void,
        *mut usize,
    ) -> OrtStatusPtr,
    subgraph_get_ep_name: GetText,
    subgraph_get_nodes: unsafe extern "system" fn(
        *const c_void,
        *mut *const *const c_void,
        *mut usize,
    ) -> OrtStatusPtr,
    node_get_name: GetText,
    node_get_domain: GetText,
    node_get_operator_type: GetText,
}

// SAFETY: the table is a static of the library, and is only read.
unsafe impl Sync for Api {}

/// The table below must begin where the one that `ort` was built for ends.
const _: () = assert!(ort::MINOR_VERSION == VERSION - 1);

type GetText = unsafe extern "system" fn(*const c_void, *mut *const c_char) -> OrtStatusPtr;

impl Api {
    /// The functions of an open library; `None` if it is older.
    pub(super) fn of(base: &'static OrtApiBase) -> Option<&'static Api> {
        // SAFETY: any number is allowed; the answer is a pointer to a static, or null.
        let api: *const OrtApi = unsafe { (base.GetApi)(VERSION) };
        // SAFETY: a library that has this version has the functions above, and it is never closed.
        unsafe { api.cast::<Api>().as_ref() }
    }

    /// By execution provider, most nodes first; an error where the session was created without
    /// [`RECORD`].
    pub(super) fn nodes(&self, session: &OrtSession) -> ort::Result<Vec<ProviderNodes>> {
        let mut operators: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        // SAFETY: the session is alive, and what it hands out belongs to it.
        for subgraph in unsafe { list(session.ptr(), self.session_get_ep_graph_assignment_info) }? {
            // SAFETY: the subgraph belongs to the session, and so do its texts and nodes.
            let (name, nodes) = unsafe {
                (
                    text(subgraph, self.subgraph_get_ep_name)?,
                    list(subgraph, self.subgraph_get_nodes)?,
                )
            };
            let of_provider = operators.entry(name).or_default();
            for node in nodes {
                // SAFETY: as above.
                let (domain, operator) = unsafe {
                    (
                        text(node, self.node_get_domain)?,
                        text(node, self.node_get_operator_type)?,
                    )
                };
                *of_provider
                    .entry(qualified(&domain, &operator))
                    .or_default() += 1;
            }
        }
        Ok(by_provider(operators))
    }
}

fn qualified(domain: &str, operator: &str) -> String {
    match domain {
        "" | "ai.onnx" => operator.to_owned(),
        domain => format!("{domain}.{operator}"),
    }
}

/// Most nodes first.
pub(super) fn by_provider(
    operators: BTreeMap<String, BTreeMap<String, u64>>,
) -> Vec<ProviderNodes> {
    let mut providers: Vec<ProviderNodes> = operators
        .into_iter()
        .map(|(provider, operators)| provider_nodes(provider, operators))
        .collect();
    providers.sort_by_key(|provider| std::cmp::Reverse(provider.nodes_count));
    providers
}

fn provider_nodes(provider: String, operators: BTreeMap<String, u64>) -> ProviderNodes {
    ProviderNodes {
        execution_provider: provider.into(),
        nodes_count: operators.values().sum(),
        operators: operators
            .into_iter()
            .map(|(operator, count)| (operator.into(), count))
            .collect(),
        ..ProviderNodes::default()
    }
}

/// # Safety
/// `get` takes an `owner` such as this one, which is alive.
unsafe fn list<T>(
    owner: *const T,
    get: unsafe extern "system" fn(*const T, *mut *const *const c_void, *mut usize) -> OrtStatusPtr,
) -> ort::Result<Vec<*const c_void>> {
    let mut items = ptr::null();
    let mut count = 0;
    // SAFETY: as the caller promises; the status is used once.
    unsafe { ort::Error::result_from_status(get(owner, &mut items, &mut count)) }?;
    if items.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: on success the array holds `count` pointers for as long as `owner` lives.
    Ok(unsafe { std::slice::from_raw_parts(items, count) }.to_vec())
}

/// # Safety
/// `get` takes an `owner` such as this one, which is alive.
unsafe fn text(owner: *const c_void, get: GetText) -> ort::Result<String> {
    let mut text = ptr::null();
    // SAFETY: as the caller promises; the status is used once.
    unsafe { ort::Error::result_from_status(get(owner, &mut text)) }?;
    // SAFETY: on success it is a C string that belongs to `owner`.
    let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) });
    Ok(text
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_the_standard_have_no_domain() {
        assert_eq!(qualified("", "Gemm"), "Gemm");
        assert_eq!(qualified("ai.onnx", "Gemm"), "Gemm");
        assert_eq!(
            qualified("com.microsoft", "Attention"),
            "com.microsoft.Attention"
        );
    }

    #[test]
    fn the_provider_with_most_nodes_comes_first() {
        let nodes = |count| BTreeMap::from([("Gemm".to_owned(), count)]);
        let providers = by_provider(BTreeMap::from([
            ("A".to_owned(), nodes(2)),
            ("B".to_owned(), nodes(5)),
        ]));
        assert_eq!(
            providers
                .iter()
                .map(|provider| provider.nodes_count)
                .collect::<Vec<_>>(),
            [5, 2]
        );
    }
}
