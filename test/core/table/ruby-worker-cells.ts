export const rubyWorkerCells: any = {};
