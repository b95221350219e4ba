//! Holds the component to the reviewed list of what it imports (`host/imports.golden`). A new import is not an accident of a
//! library: somebody wrote down why it is needed.

use std::collections::BTreeSet;

use wit_parser::{WorldItem, WorldKey};

use super::EMBEDDED;

/// Each line: the import, two spaces or more, the reason.
const GOLDEN: &str = include_str!("../../imports.golden");

fn imported() -> BTreeSet<String> {
    let decoded = wit_component::decode(EMBEDDED).unwrap();
    let wit_component::DecodedWasm::Component(resolve, world) = &decoded else {
        panic!("the embedded bytes are a WIT package, not a component");
    };
    let imports = resolve.worlds[*world].imports.iter();
    imports
        .map(|(key, item)| match (key, item) {
            (WorldKey::Interface(id), WorldItem::Interface { .. }) => resolve.id_of(*id).unwrap(),
            (key, _) => resolve.name_world_key(key),
        })
        .collect()
}

#[test]
fn the_component_imports_what_was_reviewed_and_nothing_else() {
    let lines = GOLDEN
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let reviewed: BTreeSet<String> = lines
        .map(|line| {
            let (import, reason) = line.split_once("  ").unwrap_or((line, ""));
            assert!(!reason.trim().is_empty(), "{import} has no reason");
            import.to_owned()
        })
        .collect();
    assert_eq!(imported(), reviewed);
}
