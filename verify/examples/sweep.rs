use fixtures::*;
use quant::affine::*;
use quant::scheme::*;
use std::time::Instant;
use verify::claims::argmax;
fn main() {
    let fx = Fixtures::open(Fixtures::committed_root()).unwrap();
    for name in NETWORKS {
        let n = NetworkFixture::load(&fx, name).unwrap();
        let im = ImageSet::load(&fx, &n.data).unwrap();
        let x = n.network.input().normalize(&im.pixels);
        let cal = n.network.input().normalize(&im.calibration);
        for at in [ObservedAt::Output, ObservedAt::AfterRelu] {
            for sym in [Symmetry::Symmetric, Symmetry::Asymmetric] {
                print!("{name} {at:?} {sym:?}: ");
                let t0 = Instant::now();
                let mut to = 0.0;
                for bits in 1..=10 {
                    let mut s = Scheme::uniform(bits, sym);
                    s.observed_at = at;
                    if sym == Symmetry::Asymmetric {
                        s.activations.grid.signed = false;
                    }
                    let t = Instant::now();
                    let o = observe(&n.network, &cal, &s).unwrap();
                    to += t.elapsed().as_secs_f64();
                    let q = AffineNetwork::quantize(&n.network, &o, s).unwrap();
                    let e = ExactInFloats::new(q.clone()).unwrap();
                    let p = argmax(&e.forward(&x).unwrap());
                    let sim = Simulation::new(&n.network, &q).unwrap();
                    let p2 = argmax(&sim.forward(&x).unwrap());
                    let acc = |p: &[u8]| {
                        p.iter().zip(&im.labels).filter(|(a, b)| a == b).count() as f64 / 10.0
                    };
                    print!("{bits}:{:.1}/{:.1} ", acc(&p), acc(&p2));
                }
                println!(" {:.1}s observe {to:.1}", t0.elapsed().as_secs_f64());
            }
        }
    }
}
