//! Codes of b bits, side by side in bytes, lowest bit first.

use quant::scheme::Grid;

/// The codes less the lowest code of their grid, b bits each; the last byte is filled with 0.
pub(super) fn pack(codes: &[i32], grid: Grid) -> Vec<u8> {
    let mut bytes = vec![0u8; packed_len(codes.len(), grid.bits)];
    for (i, code) in codes.iter().enumerate() {
        let value = code.wrapping_sub(lowest(grid)) as u32;
        for bit in 0..grid.bits as usize {
            let at = i * grid.bits as usize + bit;
            bytes[at / 8] |= ((value >> bit & 1) as u8) << (at % 8);
        }
    }
    bytes
}

/// What [`pack`] made bytes of; none if their number is another or the filling is not 0.
pub(super) fn unpack(bytes: &[u8], count: usize, grid: Grid) -> Option<Vec<i32>> {
    let bits = grid.bits as usize;
    if bytes.len() != packed_len(count, grid.bits) {
        return None;
    }
    let bit = |at: usize| u32::from(bytes[at / 8] >> (at % 8) & 1);
    if (count * bits..bytes.len() * 8).any(|at| bit(at) != 0) {
        return None;
    }
    let value = |i: usize| (0..bits).map(|b| bit(i * bits + b) << b).sum::<u32>();
    Some((0..count).map(|i| value(i) as i32 + lowest(grid)).collect())
}

fn packed_len(count: usize, bits: u32) -> usize {
    (count * bits as usize).div_ceil(8)
}

/// The lowest code of so many bits; a narrow grid just never has it.
fn lowest(grid: Grid) -> i32 {
    Grid {
        narrow: false,
        ..grid
    }
    .low()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_every_grid_comes_back() {
        for bits in 1..=16 {
            for signed in [false, true] {
                let grid = Grid {
                    bits,
                    signed,
                    narrow: false,
                };
                let codes: Vec<i32> = (grid.low()..=grid.high()).rev().collect();
                for count in [0, 1, 3, codes.len()] {
                    let some = &codes[..count.min(codes.len())];
                    let bytes = pack(some, grid);
                    assert_eq!(bytes.len(), (some.len() * bits as usize).div_ceil(8));
                    assert_eq!(unpack(&bytes, some.len(), grid).as_deref(), Some(some));
                }
            }
        }
    }

    #[test]
    fn the_layout_is_lowest_bit_first() {
        let grid = Grid {
            bits: 3,
            signed: true,
            narrow: false,
        };
        // −4 is 0, 3 is 7, −3 is 1: 001 111 000, from the right.
        assert_eq!(pack(&[-4, 3, -3], grid), [0b0111_1000, 0b0000_0000]);
        assert_eq!(unpack(&[0b0111_1000, 0], 3, grid), Some(vec![-4, 3, -3]));
        // A narrow grid has the same layout: −4 keeps its place though no code is there.
        let narrow = Grid {
            narrow: true,
            ..grid
        };
        assert_eq!(pack(&[3, -3], narrow), [0b0000_1111]);
    }

    #[test]
    fn other_lengths_and_fillings_are_refused() {
        let grid = Grid {
            bits: 3,
            signed: false,
            narrow: false,
        };
        assert_eq!(unpack(&[0], 3, grid), None);
        assert_eq!(unpack(&[0, 0, 0], 3, grid), None);
        assert_eq!(unpack(&[0, 0b1000_0000], 3, grid), None);
    }
}
