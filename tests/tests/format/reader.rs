/// What a blob of version 2, 3 or 4 holds, or `None` if it is none or damaged. Only the envelope is checked: to run a graph, use the crate.
pub fn describe(blob: &[u8]) -> Option<String> {
    let word = |at: usize| Some(u32::from_le_bytes(blob.get(at..at + 4)?.try_into().ok()?));
    let known = matches!(blob.get(4..10)?, b"TRI\0\x02\0" | b"TRI\0\x03\0" | b"TRI\0\x04\0");
    if !known || word(0)? != crc32(blob.get(4..word(12)? as usize)?) {
        return None;
    }
    let mut metadata = blob.get(28..)?.get(..word(20)? as usize)?;
    let arithmetic = core::str::from_utf8(bytes(&mut metadata)?).ok()?;
    let arena_len = varint(&mut metadata)?;
    let tensors = bytes(&mut metadata)?.len() / 20;
    let nodes = bytes(&mut metadata)?;
    let operators: Vec<u8> = nodes[nodes.len() % 32..].chunks(32).map(|node| node[0]).collect();
    let sequence = word(16)?;
    Some(format!(
        "model {sequence}, {arithmetic}, arena {arena_len}, {tensors} tensors, operators {operators:?}"
    ))
}

/// Postcard's whole number: seven bits a byte, the lowest first, the top bit set in all but the last.
fn varint(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = *rest.split_off_first()?;
        value |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Postcard's bytes and strings: a length, then so many bytes.
fn bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = varint(rest)?;
    rest.split_off(..len)
}

/// CRC-32/ISO-HDLC, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| (crc >> 1) ^ ((crc & 1) * 0xEDB8_8320);
    !bytes
        .iter()
        .fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), bit))
}
