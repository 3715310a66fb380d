//! A session has all of its memory when it is made, or of other schemes when it has run once:
//! running it allocates nothing. A program of its own: it counts what its allocator is asked for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use fixtures::{Fixtures, ImageSet, NETWORKS, NetworkFixture};
use kernels::executor::Order;
use kernels::{AffineExecutor, Executor, dispatch};
use quant::affine::{AffineNetwork, Calibration};
use quant::scheme::{Scheme, Symmetry};
use quant::{QuantNetwork, QuantWeights, Rounding, Scale};
use reference::{Conv2dGeometry, Op, Tensor};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// The system's, which counts what each thread asks of it.
struct Counting;

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: all of it is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Batches of one image, of a few and of more than a block, one of them twice.
const BATCHES: [usize; 5] = [1, 7, 7, 30, 250];

/// How often the thread asked for memory to run all batches on a new session.
fn allocations(executor: &Executor<'_>, [input, output]: [usize; 2], order: Order) -> usize {
    let codes = vec![3i8; 250 * input];
    let mut out = vec![0i8; 250 * output];
    let mut sessions = [executor.session()];
    let before = ALLOCATIONS.get();
    for images in BATCHES {
        let (codes, out) = (&codes[..images * input], &mut out[..images * output]);
        executor.run(&mut sessions, codes, order, out);
    }
    ALLOCATIONS.get() - before
}

/// Accumulators of more steps of the output than constants are certified for; of few outputs the
/// convolution has more of them than the linear layer.
fn by_the_formula(outputs: usize) -> QuantNetwork {
    let scale = |scale| Scale::new(scale).unwrap();
    let weights = |shape: &[usize]| QuantWeights {
        weight: Tensor::full(shape, 5i8).unwrap(),
        bias: None,
        weight_scale: scale(1.0),
        output_scale: scale(1e-7),
    };
    let ops = [
        Op::Conv2d {
            geometry: Conv2dGeometry::default(),
            weights: weights(&[9, 3, 2, 2]),
        },
        Op::Flatten,
        Op::Linear {
            weights: weights(&[outputs, 9 * 4 * 4]),
        },
    ];
    let network = kernels::prove::chain([3, 5, 5], ops.into()).unwrap();
    QuantNetwork::new(network, scale(1.0), Rounding::TiesToEven).unwrap()
}

#[test]
fn a_session_runs_without_allocating() {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let mut networks = vec![by_the_formula(10), by_the_formula(1)];
    for name in NETWORKS {
        networks.push(NetworkFixture::load(&fixtures, name).unwrap().int8.network);
    }
    let mut ran = std::collections::BTreeSet::new();
    for network in &networks {
        let input = network.network().input().shape.iter().product();
        let output = network.network().shapes().last().unwrap()[1..]
            .iter()
            .product();
        for set in dispatch::available() {
            let executor = Executor::new(network, set).unwrap();
            ran.extend(executor.algorithms());
            for order in [Order::Nchw, Order::Nhwc] {
                let count = allocations(&executor, [input, output], order);
                assert_eq!(
                    count,
                    0,
                    "{}, {}, {order:?}",
                    network.network().name(),
                    set.isa()
                );
            }
        }
    }
    for expected in ["pixels", "channels", "linear", "by the formula"] {
        assert!(ran.contains(expected), "{expected} never ran: {ran:?}");
    }
}

/// What an executor gives back is allocated, and nothing for each of its blocks.
#[test]
fn more_images_of_any_scheme_take_no_more_allocations() {
    let fixtures = Fixtures::open(Fixtures::committed_root()).unwrap();
    let fixture = NetworkFixture::load(&fixtures, "lenet5-mnist").unwrap();
    let images = ImageSet::load(&fixtures, &fixture.data).unwrap();
    let normalize = |pixels: &Tensor<u8>| fixture.network.input().normalize(pixels);
    let calibration = Calibration::run(&fixture.network, &normalize(&images.calibration)).unwrap();
    let [one, many] = [1, 100].map(|count| normalize(&images.pixels.head(count)));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let mut sums = std::collections::HashSet::new();
    for bits in [4, 8, 12, 16] {
        let scheme = Scheme::uniform(bits, Symmetry::Asymmetric);
        let ranges = calibration.ranges(&scheme).unwrap();
        let network = AffineNetwork::quantize(&fixture.network, &ranges, scheme).unwrap();
        for set in dispatch::available() {
            let executor = AffineExecutor::new(network.clone(), set);
            sums.extend(executor.layers().into_iter().map(|layer| layer.sums));
            let count = |images: &Tensor<f32>| {
                pool.install(|| {
                    let before = ALLOCATIONS.get();
                    executor.forward(images).unwrap();
                    ALLOCATIONS.get() - before
                })
            };
            // A block is the most that a session meets.
            count(&many);
            let [few, all] = [count(&one), count(&many)];
            assert_eq!(few, all, "{bits} bits, {}", set.isa());
            assert!(few > 0, "nothing was counted");
        }
    }
    assert!(sums.len() >= 3, "only {sums:?} ran");
}

#[test]
fn what_is_allocated_is_counted() {
    let before = ALLOCATIONS.get();
    let boxed = std::hint::black_box(Box::new(1));
    assert_eq!((*boxed, ALLOCATIONS.get() - before), (1, 1));
}
