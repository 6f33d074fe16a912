// table.h: all experiments, sorted by ID. To add one: its file in exp/, and its line here.
//
//     X(ID, "name")    `loam lab run ID` and `loam lab run name` both find it
X(A1, "wx")
X(D1, "ladder")
