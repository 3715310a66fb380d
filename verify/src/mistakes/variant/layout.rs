//! Values in other places.

use reference::{ShapeError, Tensor};

use crate::model::Values;

/// Where, in row-major order of `shape`, the value lies that is found at `at` of a buffer whose
/// axes are `axes` of the shape.
pub(in crate::mistakes) fn laid_out(shape: &[usize], axes: &[usize], at: usize) -> usize {
    let mut position = vec![0; shape.len()];
    let mut rest = at;
    for &axis in axes.iter().rev() {
        position[axis] = rest % shape[axis];
        rest /= shape[axis];
    }
    (position.iter().zip(shape)).fold(0, |flat, (&i, &size)| flat * size + i)
}

/// Where the value of this place of `shape` is read by whoever takes a buffer of that shape to
/// have the axes `axes`.
pub(in crate::mistakes) fn read_as(shape: &[usize], axes: &[usize], at: usize) -> usize {
    let mut position = vec![0; shape.len()];
    let mut rest = at;
    for axis in (0..shape.len()).rev() {
        position[axis] = rest % shape[axis];
        rest /= shape[axis];
    }
    (axes.iter()).fold(0, |flat, &axis| flat * shape[axis] + position[axis])
}

/// The buffer of a tensor whose axes are exchanged so, read in the tensor's own shape.
pub(in crate::mistakes) fn relaid(map: &Values, axes: &[usize; 4]) -> Result<Values, ShapeError> {
    let data = (0..map.data().len()).map(|at| map.data()[laid_out(map.shape(), axes, at)]);
    Tensor::new(map.shape(), data.collect())
}

/// The image with its rows or columns in reverse order.
pub(in crate::mistakes) fn mirrored(image: &Values, rows: bool, columns: bool) -> Values {
    let (height, width) = (image.shape()[2], image.shape()[3]);
    let mut mirrored = image.clone();
    for (at, value) in mirrored.data_mut().iter_mut().enumerate() {
        let (y, x) = (at / width % height, at % width);
        let from_y = if rows { height - 1 - y } else { y };
        let from_x = if columns { width - 1 - x } else { x };
        *value = image.data()[at - (y * width + x) + from_y * width + from_x];
    }
    mirrored
}

/// An image in the midst of others of this size, filled with a value; rows above and columns
/// before it are `before`.
pub(in crate::mistakes) fn padded(
    input: &Values,
    before: [usize; 2],
    whole: [usize; 2],
    value: f64,
) -> Result<Values, ShapeError> {
    let [n, c, h, w] = reference::geometry::rank("input of a window", input.shape())?;
    let mut around = Tensor::full(&[n, c, whole[0], whole[1]], value)?;
    for (at, plane) in input.data().chunks((h * w).max(1)).enumerate() {
        for (y, row) in plane.chunks(w.max(1)).enumerate() {
            let start = (at * whole[0] + y + before[0]) * whole[1] + before[1];
            around.data_mut()[start..start + w].copy_from_slice(row);
        }
    }
    Ok(around)
}

/// The part of an image of this size whose first row and column are `at`.
pub(in crate::mistakes) fn part(
    input: &Values,
    at: [usize; 2],
    size: [usize; 2],
) -> Result<Values, ShapeError> {
    let [n, c, h, w] = reference::geometry::rank("input of a window", input.shape())?;
    let mut data = Vec::with_capacity(n * c * size[0] * size[1]);
    for plane in input.data().chunks((h * w).max(1)) {
        for row in plane.chunks(w.max(1)).skip(at[0]).take(size[0]) {
            data.extend(&row[at[1]..at[1] + size[1]]);
        }
    }
    Tensor::new(&[n, c, size[0], size[1]], data)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of a buffer of 2 channels, 3 rows and 4 columns in the order HWC.
    #[test]
    fn a_place_is_found_in_another_order_and_back() {
        let shape = [2, 3, 4];
        let hwc = [1, 2, 0];
        for (c, y, x) in (0..24).map(|at| (at / 12, at / 4 % 3, at % 4)) {
            let (first, last) = ((c * 3 + y) * 4 + x, (y * 4 + x) * 2 + c);
            assert_eq!(laid_out(&shape, &hwc, last), first);
            assert_eq!(read_as(&shape, &hwc, first), last);
        }
        assert_eq!(laid_out(&shape, &[0, 1, 2], 17), 17);
        assert_eq!(read_as(&shape, &[0, 1, 2], 17), 17);
    }

    fn counted(shape: &[usize]) -> Values {
        let count: usize = shape.iter().product();
        Tensor::new(shape, (1..=count).map(|x| x as f64).collect()).unwrap()
    }

    #[test]
    fn a_map_is_laid_out_mirrored_padded_and_cut() {
        // 1 2 3 | 7  8  9
        // 4 5 6 | 10 11 12
        let map = counted(&[1, 2, 2, 3]);
        let hwc = relaid(&map, &[0, 2, 3, 1]).unwrap();
        assert_eq!(
            hwc.data(),
            [1., 7., 2., 8., 3., 9., 4., 10., 5., 11., 6., 12.]
        );
        let of = |rows, columns| mirrored(&map, rows, columns).into_data();
        assert_eq!(
            of(true, false),
            [4., 5., 6., 1., 2., 3., 10., 11., 12., 7., 8., 9.]
        );
        assert_eq!(
            of(false, true),
            [3., 2., 1., 6., 5., 4., 9., 8., 7., 12., 11., 10.]
        );
        assert_eq!(
            of(true, true),
            [6., 5., 4., 3., 2., 1., 12., 11., 10., 9., 8., 7.]
        );
        let around = padded(&map, [1, 2], [4, 6], 0.5).unwrap();
        assert_eq!(around.shape(), [1, 2, 4, 6]);
        #[rustfmt::skip]
        assert_eq!(around.item(0)[24..], [
            0.5, 0.5, 0.5, 0.5, 0.5, 0.5,
            0.5, 0.5, 7.0, 8.0, 9.0, 0.5,
            0.5, 0.5, 10., 11., 12., 0.5,
            0.5, 0.5, 0.5, 0.5, 0.5, 0.5,
        ]);
        assert_eq!(part(&around, [1, 2], [2, 3]).unwrap(), map);
        let corner = part(&map, [1, 1], [1, 2]).unwrap();
        assert_eq!(
            (corner.shape(), corner.data()),
            (&[1, 2, 1, 2][..], &[5., 6., 11., 12.][..])
        );
    }
}
