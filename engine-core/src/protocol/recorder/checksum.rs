//! CRC-32 (ISO-HDLC, as in PNG and gzip): polynomial 0x04C11DB7, reflected.

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut idx = 0;
    while idx < 256 {
        let mut word = idx as u32;
        let mut bit = 0;
        while bit < 8 {
            word = if word & 1 == 0 { word >> 1 } else { (word >> 1) ^ 0xedb8_8320 };
            bit += 1;
        }
        table[idx] = word;
        idx += 1;
    }
    table
};

/// The checksum of what had the checksum `before` (0 for nothing), followed by `bytes`.
pub fn checksum(before: u32, bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)];
    !bytes.iter().fold(!before, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue() {
        // https://reveng.sourceforge.io/crc-catalogue/all.htm#crc.cat.crc-32-iso-hdlc
        assert_eq!(checksum(0, b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(checksum(0, b"1234"), b"56789"), 0xcbf4_3926);
        assert_eq!(checksum(0, b""), 0);
    }
}
