//! How things lie in files: postcard, behind a checksum. What does not match it is an error, never a value.

use std::io;

use serde::{Serialize, de::DeserializeOwned};

/// Bytes of a checksum.
const SUM: usize = 4;

/// The bytes for a file.
pub fn seal<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let bytes = postcard::to_extend(value, vec![0; SUM]).map_err(io::Error::other)?;
    let sum = crc32fast::hash(bytes.get(SUM..).unwrap_or_default());
    let mut sealed = bytes;
    if let Some(place) = sealed.first_chunk_mut::<SUM>() {
        *place = sum.to_le_bytes();
    }
    Ok(sealed)
}

/// The value again.
pub fn open<T: DeserializeOwned>(sealed: &[u8]) -> io::Result<T> {
    let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let Some((sum, bytes)) = sealed.split_first_chunk::<SUM>() else {
        return Err(damaged("cut off"));
    };
    if crc32fast::hash(bytes) != u32::from_le_bytes(*sum) {
        return Err(damaged("its checksum is wrong"));
    }
    postcard::from_bytes(bytes).map_err(|_| damaged("of an unknown form"))
}
