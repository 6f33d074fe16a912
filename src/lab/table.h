// table.h: all experiments, sorted by ID. To add one: its file in exp/, and its line here.
//
//     X(ID, "name")    `loam lab run ID` and `loam lab run name` both find it
X(A1, "wx")
X(A2, "jit")
X(A3, "smash")
X(A5, "vn-gap")
X(A6, "regs")
X(A7, "ilp")
X(A8, "branch")
X(A9, "simd")
X(D1, "ladder")
